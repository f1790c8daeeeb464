"""Tiny students of every family, on pictures and questions made up here."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor, PreTrainedModel

from core.policy.vlm.policy import VlmPolicy
from core.policy.vlm.prompt import Prompt
from core.policy.vlm.tiny import FAMILIES, tiny_vlm
from core.schema import Example
from core.settings import VlmSettings
from tests.core.memory_library import MemoryLibrary

PROMPT = Prompt(
    system="Answer with one word.",
    question="The work, quoted: {ask} Does the picture show it?",
    answers=("on_task", "off_task"),
    words=("yes", "no"),
)
SIZES = ((320, 200), (200, 320), (640, 360))


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A model folder of each family."""
    root = tmp_path_factory.mktemp("tiny")
    return {family: tiny_vlm(family, root / family) for family in FAMILIES}


@pytest.fixture(params=sorted(FAMILIES))
def folder(request: pytest.FixtureRequest, folders: dict[str, Path]) -> Path:
    """Each family in turn."""
    return folders[request.param]


@pytest.fixture(scope="module", params=sorted(FAMILIES))
def bare(request: pytest.FixtureRequest, folders: dict[str, Path]) -> tuple[PreTrainedModel, object]:
    """A model of each family as transformers loads it, and its processor."""
    path = folders[request.param]
    return AutoModelForImageTextToText.from_pretrained(path).eval(), AutoProcessor.from_pretrained(path)


@pytest.fixture
def settings(folder: Path) -> VlmSettings:
    return VlmSettings(model=str(folder), rank=4, alpha=8)


@pytest.fixture
def student(settings: VlmSettings) -> VlmPolicy:
    return VlmPolicy.create(PROMPT, settings)


@pytest.fixture
def worded(settings: VlmSettings) -> Callable[..., VlmPolicy]:
    """A student that says these words for its answers."""
    return lambda *words: VlmPolicy.create(PROMPT.model_copy(update={"words": words}), settings)


@pytest.fixture(scope="session")
def library() -> MemoryLibrary:
    """Three pictures of noise, of three shapes."""
    held, generator = MemoryLibrary(), np.random.default_rng(0)
    for width, height in SIZES:
        pixels = generator.integers(0, 256, (height, width, 3), dtype=np.uint8)
        held.add(f"{width} x {height}", image=Image.fromarray(pixels))
    return held


@pytest.fixture(scope="session")
def examples(library: MemoryLibrary) -> list[Example]:
    """One question about each picture, of different lengths."""
    return [
        Example.make("screen", (media,), "Write the report. " * times, answers=PROMPT.answers, cluster=media)
        for times, media in enumerate(library.images, start=1)
    ]
