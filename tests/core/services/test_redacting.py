"""With redaction on, nothing private of a screen is stored: not the picture, not a word of it, nothing made of it."""

import io
import re
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from core.learning.variants import Draft
from core.media import as_kept, open_image
from core.reading import read_image
from core.schema import Example, Media, Run, new_id
from core.services import Classifier, Workspace, classify, import_folder, verify_screen
from core.services.measuring import FolderLibrary
from core.services.night.variants import keep_draft

EMAIL, NAME = "ann.other@example.com", "Zebulon Quarterman"
REDACTION = {"emails": True, "names": [NAME]}


def letter() -> bytes:
    picture = Image.new("RGB", (1000, 500), "white")
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(24)
    for number, text in enumerate(("Inbox - Mail", f"From: {EMAIL}", f"Dear {NAME}, the budget is attached", "Reply")):
        draw.text((40, 40 + 60 * number), text, "black", font=font)
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


@pytest.fixture(scope="module")
def redacting(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A home that classified the letter, and measured it on the side."""
    ws = Workspace.open(tmp_path_factory.mktemp("redacting"), redaction=REDACTION)
    classify(ws, Classifier.of_champion(ws, "screen"), letter(), "Read the mail.", name=f"{EMAIL}.png", source=EMAIL)
    file = tmp_path_factory.mktemp("file") / "letter.png"
    file.write_bytes(letter())
    verify_screen(ws, file)
    return ws


def everything(home: Path) -> str:
    files = (path for path in home.rglob("*") if path.is_file() and not {"blobs", "registry"} & set(path.parts))
    return re.sub(r"[^\w]", "", b"".join(path.read_bytes() for path in files).decode("latin-1")).lower()


def test_no_word_of_it_is_anywhere_in_the_home(redacting: Workspace) -> None:
    kept = everything(redacting.home)
    assert "attached" in kept
    assert not [piece for piece in ("annother", "examplecom", "zebulon", "quarterman") if piece in kept]


def test_the_stored_picture_its_hash_and_its_reading_are_those_of_the_redacted_one(redacting: Workspace) -> None:
    (media,) = redacting.store.find(Media)
    (blob,) = (redacting.home / "blobs").rglob("*.png")
    stored = open_image(blob.read_bytes())
    assert as_kept(stored)[0].id == media.id
    assert not re.search(r"ann|example|zebulon|quarter", read_image(stored).text, re.IGNORECASE)
    assert redacting.library.reading(media.id).lines == read_image(stored).lines
    assert media.source == "(redacted)"


def test_measuring_sees_the_same_picture(redacting: Workspace) -> None:
    (media,) = redacting.store.find(Media)
    library = FolderLibrary(redacting.cache, redacting.settings.media, redacting.settings.redaction)
    assert library.add(letter()) == media.id


def test_what_is_imported_is_redacted_and_importing_again_changes_nothing(redacting: Workspace, tmp_path: Path) -> None:
    (tmp_path / "letter.png").write_bytes(letter())
    assert import_folder(redacting, "screen", tmp_path).duplicates == 1
    assert redacting.store.count(Media) == 1


def test_variants_are_made_of_the_redacted_picture(redacting: Workspace) -> None:
    media = redacting.store.find(Media)[0]
    (example,) = redacting.store.find(Example)
    smaller = redacting.library.image(media.id).resize((900, 450))
    draft = Draft("rescaled", example, "on_task", example.ask, smaller)
    run = Run(id=new_id(), environment="screen", seed=1)

    variant = keep_draft(redacting, run, draft)

    assert variant is not None
    (made,) = redacting.store.get_many(Example, [variant.example])
    text = redacting.library.reading(made.media[0]).text
    assert "attached" in text and not re.search(r"zebulon|@", text, re.IGNORECASE)


def test_without_the_setting_a_picture_is_kept_as_it_came(home: Path) -> None:
    ws = Workspace.open(home)
    classify(ws, Classifier.of_champion(ws, "screen"), letter(), "Read the mail.")
    (media,) = ws.store.find(Media)
    assert "Zebulon" in ws.library.reading(media.id).text
