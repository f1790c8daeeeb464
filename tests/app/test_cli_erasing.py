"""Forgetting as a privacy officer asks for it, killed and asked for again."""

import os
import shutil
import signal
import sys
from pathlib import Path

import pytest
from forked import Forked, nightshift
from PIL import Image, ImageDraw

from core.schema import Erasure, Prediction, Tombstone
from core.store import Store, open_store

SIGKILLED = -9
SCREENS = 3


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a session of two screens, and a screen that belongs to none. Copy it."""
    folder = tmp_path_factory.mktemp("filled")
    home = folder / "home"
    for number in range(SCREENS):
        picture = Image.new("RGB", (400, 200), "white")
        ImageDraw.Draw(picture).rectangle((20, 20, 100 + 80 * number, 60 + 30 * number), fill="navy")
        picture.save(folder / f"{number}.png")
        sitting = () if number == 2 else ("--session", "monday")
        asked = ("classify", str(folder / f"{number}.png"), "--work", "Write.", *sitting, "--home", str(home), "--json")
        assert nightshift(folder / "says", *asked).status == 0
    return home


@pytest.fixture
def copied(filled: Path, home: Path) -> Path:
    shutil.copytree(filled, home, dirs_exist_ok=True)
    return home


def store_of(home: Path) -> Store:
    return open_store(f"duckdb:///{home / 'nightshift.duckdb'}")


def forget_and_die(home: str, step: str) -> None:
    """The command, SIGKILLed at one of its steps."""
    from app.cli import main
    from core.services.erasing import erasure

    def die(*_: object, **__: object) -> None:
        os.killpg(os.getpid(), signal.SIGKILL)

    owner, name = {
        "rows": (erasure, "remove_pictures"),
        "intended": (erasure._Work, "_rows"),
        "files": (Store, "compact"),
    }[step]
    setattr(owner, name, die)
    sys.argv = ["nightshift", "forget", "--session", "monday", "--yes", "--home", home, "--json"]
    main()


def test_without_yes_nothing_goes_and_what_would_is_told(copied: Path, tmp_path: Path) -> None:
    for more in ((), ("--dry-run",)):
        told = nightshift(tmp_path, "forget", "--session", "monday", *more, "--home", str(copied), "--json").answer
        assert told["dry_run"] and told["erased"] == {"media": 2, "example": 2, "prediction": 2}
    assert store_of(copied).count(Prediction) == SCREENS


def test_a_session_goes_and_the_answer_proves_it(copied: Path, tmp_path: Path) -> None:
    ended = nightshift(tmp_path, "forget", "--session", "monday", "--yes", "--home", str(copied), "--json")
    assert ended.status == 0, ended.err
    assert ended.answer["erased"]["media"] == 2 and ended.answer["proof"]["ok"]
    assert store_of(copied).count(Prediction) == 1
    assert nightshift(tmp_path, "doctor", "--home", str(copied), "--json").status == 0


@pytest.mark.parametrize("step", ["intended", "rows", "files"])
def test_killed_and_asked_for_again_it_comes_to_the_same(copied: Path, tmp_path: Path, step: str) -> None:
    assert Forked(tmp_path, forget_and_die, str(copied), step).wait().status == SIGKILLED
    assert nightshift(tmp_path, "doctor", "--home", str(copied), "--json").status == 1

    ended = nightshift(tmp_path, "forget", "--session", "monday", "--yes", "--home", str(copied), "--json")

    assert ended.status == 0, ended.err
    assert ended.answer["proof"]["ok"] and ended.answer["resumed"] == 1
    store = store_of(copied)
    assert (store.count(Prediction), store.count(Tombstone)) == (1, 4)
    assert [each.erased["media"] for each in store.find(Erasure)] == [2]
    assert len(list((copied / "blobs").rglob("*.png"))) == 1
    assert b"monday" not in (copied / "nightshift.duckdb").read_bytes()


def test_a_screen_that_never_was_is_one_line(copied: Path, tmp_path: Path) -> None:
    ended = nightshift(tmp_path, "forget", "--screen", "f" * 64, "--yes", "--home", str(copied), "--json")
    assert ended.status == 1
    assert "there is no picture, example or prediction" in ended.answer["error"]


def test_a_request_for_two_things_is_refused(copied: Path, tmp_path: Path) -> None:
    two = ("forget", "--session", "monday", "--reviewer", "ann", "--yes", "--home", str(copied))
    assert nightshift(tmp_path, *two).status == 2
    assert store_of(copied).count(Prediction) == SCREENS


def test_a_person_reads_what_went(copied: Path, tmp_path: Path) -> None:
    said = nightshift(tmp_path, "forget", "--before", "2100-01-01", "--yes", "--home", str(copied)).out
    assert "erased: 3 media, 3 example, 3 prediction" in said
    assert "none is there" in said


def test_retention_runs_on_request(copied: Path, tmp_path: Path) -> None:
    told = nightshift(tmp_path, "retention", "run", "--dry-run", "--home", str(copied), "--json")
    assert told.status == 0 and told.answer["due"] == 0
    done = nightshift(
        tmp_path, "retention", "run", "--home", str(copied), "--json",
        NIGHTSHIFT_RETENTION__WITHOUT_FEEDBACK_DAYS="0.0000001",
    )  # fmt: skip
    assert done.status == 0, done.err
    assert done.answer["erased"]["media"] == SCREENS and done.answer["proof"]["ok"]
