"""Pictures that nobody labelled, as bootstrap finds them; and works that they can be held against."""

import io
import json
import tarfile
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from core.environments.screen.work_domains import load_domains
from tests.core.screens_on_paper import CODE, FILM

WORKS = """
[[domains]]
name = "{name}"
purposes = [
  {{ seen = "a table", work = "Fix the bug in the header parser and run the tests." }},
  {{ seen = "a dog", work = "Watch the next episode of the series tonight." }},
]
"""


def screen(number: int) -> bytes:
    """A screen about code or about films, unlike every other to a perceptual hash."""
    rng = Random(number)
    tint = np.random.default_rng(number).integers(40, 250, (5, 7, 3)).astype(np.uint8)
    image = Image.new("RGB", (640, 560), "white")
    image.paste(Image.fromarray(tint).resize((640, 260), Image.Resampling.NEAREST), (0, 300))
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(22)
    for row, line in enumerate(rng.sample(CODE if number % 2 else FILM, 8)):
        draw.text((16, 12 + 34 * row), line, "black", font)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def shard(path: Path, pictures: dict[str, bytes]) -> Path:
    """As the shards of Open-Qwen2VL-Data are: a picture and its words under one key."""
    with tarfile.open(path, "w") as tar:
        for key, picture in pictures.items():
            for suffix, data in (
                (".jpg", picture),
                (".json", json.dumps({"caption": key}).encode()),
                (".txt", b"words"),
            ):
                entry = tarfile.TarInfo(f"{key}{suffix}")
                entry.size = len(data)
                tar.addfile(entry, io.BytesIO(data))
    return path


def as_jpeg(png: bytes) -> bytes:
    buffer = io.BytesIO()
    Image.open(io.BytesIO(png)).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def alike_domains(path: Path) -> Path:
    """The same two works in every domain, whatever a picture is said to show."""
    path.write_text("".join(WORKS.format(name=domain.name) for domain in load_domains().domains))
    return path
