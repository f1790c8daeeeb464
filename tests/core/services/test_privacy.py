"""Where only titles and UI text may be kept, nothing else is: not in the cache, the store, or an answer."""

from pathlib import Path
from typing import Any

import pytest

from core.environments.screen import draw
from core.schema import NightshiftError
from core.services import Classifier, Workspace, classify, doctor, verify_screen
from core.services.measuring import FolderLibrary


@pytest.fixture(scope="module")
def mail(drawn: Path) -> Path:
    return drawn / "images" / "mail.png"


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory, mail: Path) -> Workspace:
    """A home that read one screen of mail in this mode, by classifying it."""
    ws = Workspace.open(tmp_path_factory.mktemp("private"), reading={"privacy": "ui_text"})
    classify(ws, Classifier.of_champion(ws, "screen"), mail.read_bytes(), "Answer the customers.", session="s")
    return ws


@pytest.fixture(scope="module")
def body_words(mail: Path) -> set[str]:
    """Words of the letter that is open, as it was drawn."""
    import tomllib

    samples = tomllib.loads(draw.SAMPLES.read_text(encoding="utf-8"))
    (screen,) = [each for each in samples["screens"] if each["file"] == mail.name]
    return {word.strip(".,").lower() for word in screen["content"]["letter"].split() if len(word) > 8}


def everything(home: Path) -> bytes:
    """Every byte in a home but those of pictures and models."""
    files = (path for path in home.rglob("*") if path.is_file())
    return b"".join(path.read_bytes() for path in files if not {"blobs", "registry"} & set(path.parts))


def test_the_body_of_a_letter_is_nowhere_in_the_home(private: Workspace, body_words: set[str]) -> None:
    kept = everything(private.home).lower()
    assert body_words and not [word for word in body_words if word.encode() in kept]


def test_title_and_buttons_are_still_read(private: Workspace, mail: Path) -> None:
    library = FolderLibrary(private.cache, private.settings.media)
    text = library.reading(library.add(mail.read_bytes())).text
    assert text and "Reply" in text


def test_what_the_rules_see_is_as_little(private: Workspace, mail: Path, body_words: set[str]) -> None:
    shown = verify_screen(private, mail).model_dump_json().lower()
    assert not [word for word in body_words if word in shown]


@pytest.mark.parametrize("looks", [{"policy": "vlm", "learning": {"learning_rate": 1e-4}}, {"judge": "openai"}])
def test_nobody_who_looks_at_whole_pictures_is_let_in(home: Path, looks: dict[str, Any]) -> None:
    with pytest.raises(NightshiftError, match="looks at whole pictures"):
        Workspace.open(home, reading={"privacy": "ui_text"}, **looks)


def test_the_doctor_finds_readings_from_before(private: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTSHIFT_READING__PRIVACY", "ui_text")
    assert next(each for each in doctor(private.home) if each.name == "privacy").ok
    (private.settings.cache_dir / "ab").mkdir(parents=True)
    (private.settings.cache_dir / "ab" / "abcd.json").write_text("{}")
    found = next(each for each in doctor(private.home) if each.name == "privacy")
    assert not found.ok and "1 files" in found.what
