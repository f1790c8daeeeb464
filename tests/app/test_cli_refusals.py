"""Bad input: one clear line, a status that is not 0, and nothing written."""

import struct
import zlib
from pathlib import Path

import pytest
from forked import Ended, nightshift
from PIL import Image

from core.store import open_store


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return tmp_path / "commands"


@pytest.fixture
def used_home(home: Path, tmp_path: Path, work: Path) -> Path:
    """A home with one screen in it."""
    picture = tmp_path / "first.png"
    Image.new("RGB", (320, 200), "white").save(picture)
    assert nightshift(work, "import", str(tmp_path), "--home", str(home)).status == 0
    return home


def what_is_there(home: Path) -> tuple[dict[str, int], set[str]]:
    """Rows by kind, and the names of all pictures."""
    blobs = {path.name for path in (home / "blobs").rglob("*") if path.is_file()}
    return open_store(f"duckdb:///{home / 'nightshift.duckdb'}").tables(), blobs


def refused(work: Path, home: Path, *arguments: str) -> str:
    """Runs a command that must refuse, with and without --json, and write nothing; returns its message."""
    before = what_is_there(home)
    ended = nightshift(work, *arguments, "--home", str(home), "--json")
    assert ended.status == 1, ended.err
    assert set(ended.answer) == {"error"}
    message = str(ended.answer["error"])
    assert "Traceback" not in ended.err
    assert f"nightshift: {message}" in ended.err
    assert what_is_there(home) == before
    return message


def refused_picture(work: Path, home: Path, picture: Path) -> str:
    return refused(work, home, "classify", str(picture), "--work", "Write the report.")


def test_a_text_file_named_png_is_refused(work: Path, used_home: Path, tmp_path: Path) -> None:
    picture = tmp_path / "notes.png"
    picture.write_text("This is not a picture.")

    assert "notes.png" in refused_picture(work, used_home, picture)


def test_a_file_of_one_byte_is_refused(work: Path, used_home: Path, tmp_path: Path) -> None:
    picture = tmp_path / "tiny.png"
    picture.write_bytes(b"\x89")

    assert "tiny.png" in refused_picture(work, used_home, picture)


def test_a_picture_of_30000_by_30000_pixels_is_refused_without_decoding_it(
    work: Path, used_home: Path, tmp_path: Path
) -> None:
    picture = tmp_path / "huge.png"
    picture.write_bytes(png_that_claims(30_000, 30_000))

    assert "30" in refused_picture(work, used_home, picture)


def test_a_truncated_jpeg_is_refused(work: Path, used_home: Path, tmp_path: Path) -> None:
    picture = tmp_path / "half.jpg"
    Image.effect_noise((640, 400), 60).convert("RGB").save(picture)
    picture.write_bytes(picture.read_bytes()[:5_000])

    assert "half.jpg" in refused_picture(work, used_home, picture)


def test_a_picture_that_is_not_there_is_refused(work: Path, used_home: Path, tmp_path: Path) -> None:
    assert "nowhere.png" in refused_picture(work, used_home, tmp_path / "nowhere.png")


def test_an_empty_work_description_is_refused(work: Path, used_home: Path, tmp_path: Path) -> None:
    message = refused(work, used_home, "classify", str(tmp_path / "first.png"), "--work", "   ")

    assert "empty" in message


def test_an_unknown_prediction_id_is_refused(work: Path, used_home: Path) -> None:
    assert "nobody" in refused(work, used_home, "correct", "nobody", "--label", "on_task")
    assert "nobody" in refused(work, used_home, "correct", "nobody", "--undo")


def test_a_label_that_is_not_one_is_refused_with_those_there_are(work: Path, used_home: Path, tmp_path: Path) -> None:
    said = nightshift(
        work, "classify", str(tmp_path / "first.png"), "--work", "Write.", "--home", str(used_home), "--json"
    )

    message = refused(work, used_home, "correct", said.answer["prediction_id"], "--label", "maybe")

    assert "maybe" in message and "on_task, off_task, cannot_tell" in message


def test_undo_without_a_word_to_take_back_is_refused(work: Path, used_home: Path, tmp_path: Path) -> None:
    said = nightshift(
        work, "classify", str(tmp_path / "first.png"), "--work", "Write.", "--home", str(used_home), "--json"
    )

    assert "undo" in refused(work, used_home, "correct", said.answer["prediction_id"], "--undo")


def test_measuring_on_a_folder_without_tasks_is_refused(work: Path, used_home: Path, tmp_path: Path) -> None:
    assert "tasks.csv" in refused(work, used_home, "evaluate", "--dataset", str(tmp_path))
    assert "tasks.csv" in refused(work, used_home, "simulate", "--dataset", str(tmp_path))


def test_importing_a_folder_with_neither_tasks_nor_images_is_refused(
    work: Path, used_home: Path, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()

    assert "tasks.csv" in refused(work, used_home, "import", str(empty))
    assert "no folder" in refused(work, used_home, "import", str(tmp_path / "nowhere"))


def test_a_release_that_is_not_there_is_refused(work: Path, used_home: Path, tmp_path: Path) -> None:
    assert "no release" in refused(work, used_home, "evaluate", "--dataset", str(tmp_path), "--release", "zzz")


def test_going_back_with_nothing_to_go_back_to_is_refused(work: Path, used_home: Path) -> None:
    assert refused(work, used_home, "models", "rollback")


def test_a_night_with_nothing_to_learn_from_ends_before_it_begins(work: Path, used_home: Path) -> None:
    ended = nightshift(work, "nightly", "--home", str(used_home), "--json")

    assert ended.status == 1
    assert "nothing to learn" in ended.answer["error"]


def test_a_home_from_a_newer_version_is_refused_by_every_command(work: Path, used_home: Path, tmp_path: Path) -> None:
    import duckdb

    with duckdb.connect(str(used_home / "nightshift.duckdb")) as connection:
        connection.execute(
            "INSERT INTO schema_version SELECT * REPLACE (version + 1000 AS version) FROM schema_version"
        )
    commands = [
        ["import", str(tmp_path)],
        ["classify", str(tmp_path / "first.png"), "--work", "Write."],
        ["correct", "somebody", "--label", "on_task"],
        ["nightly"],
        ["evaluate", "--dataset", str(tmp_path)],
        ["models", "history"],
        ["models", "rollback"],
        ["doctor"],
        ["up"],
    ]
    before = (used_home / "nightshift.duckdb").read_bytes()

    for command in commands:
        ended = nightshift(work, *command, "--home", str(used_home), "--json")
        assert ended.status == 1, command
        assert "newer" in ended.out, command

    assert (used_home / "nightshift.duckdb").read_bytes() == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("correct", "somebody"),
        ("correct", "somebody", "--label", "on_task", "--undo"),
        ("correct", "somebody", "--undo", "--reason", "a slip"),
        ("simulate", "--dataset", ".", "--relabel", "video_streaming"),
        ("simulate", "--dataset", ".", "--nights", "0"),
        ("nightly", "--seed", "-1"),
        ("classify", "picture.png"),
        ("nonsense",),
    ],
)
def test_a_command_line_that_makes_no_sense_ends_with_status_2_and_no_output(
    work: Path, home: Path, arguments: tuple[str, ...]
) -> None:
    ended: Ended = nightshift(work, *arguments, *(() if arguments == ("nonsense",) else ("--home", str(home))))

    assert ended.status == 2
    assert ended.out == ""
    assert "Error" in ended.err
    assert list(home.iterdir()) == []


def png_that_claims(width: int, height: int) -> bytes:
    """A PNG whose header names a size that its few bytes of pixels do not fill."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 3_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def test_titles_of_a_folder_without_a_manifest_are_not_measured(work: Path, used_home: Path, tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()

    message = refused(work, used_home, "verify", "titles", "--dataset", str(tmp_path / "bare"))

    assert "manifest.csv" in message and "window_title" in message
