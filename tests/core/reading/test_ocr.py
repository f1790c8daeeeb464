from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from core.reading import ENGINE, Reading, read_image


@pytest.fixture(scope="module")
def editor(drawn: Path) -> Reading:
    """A drawn code editor, read once."""
    return read_image(Image.open(drawn / "images" / "code_editor.png"))


def test_the_text_of_a_drawn_screen_is_read(editor: Reading) -> None:
    words = set(editor.text.lower().replace("-", " ").split())
    assert {"forecast.py", "file", "edit", "selection", "terminal", "help"} <= words
    assert len(editor.lines) > 15
    assert (editor.width, editor.height, editor.engine) == (1280, 800, ENGINE)


def test_every_line_has_a_box_inside_the_picture(editor: Reading) -> None:
    for line in editor.lines:
        left, top, right, bottom = line.box
        assert 0 <= left < right <= 1
        assert 0 <= top < bottom <= 1
        assert 0.5 <= line.score <= 1


def test_a_reading_is_the_same_after_a_round_trip(editor: Reading) -> None:
    assert Reading.model_validate_json(editor.model_dump_json()) == editor


def test_an_empty_picture_has_no_lines() -> None:
    reading = read_image(Image.new("RGB", (200, 120), "white"))
    assert (reading.lines, reading.text) == ((), "")


def test_a_line_stands_where_it_was_drawn() -> None:
    image = Image.new("RGB", (400, 200), "white")
    ImageDraw.Draw(image).text((200, 140), "Quarterly report", fill="black", font=ImageFont.load_default(20))
    (line,) = read_image(image).lines
    assert line.text.replace(" ", "").lower() == "quarterlyreport"
    assert line.box[0] == pytest.approx(0.5, abs=0.04)
    assert line.box[1] == pytest.approx(0.7, abs=0.06)
