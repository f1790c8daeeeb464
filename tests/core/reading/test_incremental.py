from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from core.environments.screen.transitions import TRANSITIONS
from core.reading import Line, Sessions, read_image
from core.reading.incremental import BLOCK, WINDOW_SIDES, Sight, _grown, changed_blocks, read_again
from core.reading.lines import in_reading_order
from core.reading.ocr import pixels_of


@pytest.fixture(scope="module")
def screen(drawn: Path) -> Image.Image:
    return Image.open(drawn / "images" / "code_editor.png").convert("RGB")


@pytest.fixture(scope="module")
def seen(screen: Image.Image) -> Sight:
    return Sight(pixels_of(screen), read_image(screen))


def with_text(screen: Image.Image, text: str, at: tuple[int, int]) -> Image.Image:
    later = screen.copy()
    draw = ImageDraw.Draw(later)
    draw.rectangle((at[0], at[1], at[0] + 280, at[1] + 40), fill="white")
    draw.text((at[0] + 10, at[1] + 8), text, fill="black", font=ImageFont.load_default(20))
    return later


def test_a_screen_that_did_not_change_gives_the_same_lines(screen: Image.Image, seen: Sight) -> None:
    again = read_again(seen, screen.copy())
    assert again is not None
    assert again.reading.lines == seen.reading.lines


def test_text_that_appears_is_read(screen: Image.Image, seen: Sight) -> None:
    again = read_again(seen, with_text(screen, "Quarterly report", (980, 740)))
    assert again is not None
    assert "quarterlyreport" in again.reading.text.replace(" ", "").lower()


def test_text_that_is_covered_is_no_longer_read(screen: Image.Image, seen: Sight) -> None:
    shown = read_again(seen, with_text(screen, "Quarterly report", (980, 740)))
    assert shown is not None
    hidden = read_again(shown, with_text(screen, "", (980, 740)))
    assert hidden is not None
    assert "Quarterly" not in hidden.reading.text


def test_a_changed_corner_changes_only_lines_there(screen: Image.Image, seen: Sight) -> None:
    again = read_again(seen, with_text(screen, "Quarterly report", (980, 740)))
    assert again is not None
    far = [line for line in seen.reading.lines if line.box[3] < 0.8]
    assert far
    assert [line for line in again.reading.lines if line.box[3] < 0.8] == far


@pytest.mark.parametrize("name", sorted(TRANSITIONS))
def test_most_lines_are_those_of_a_full_reading(screen: Image.Image, seen: Sight, name: str) -> None:
    later = TRANSITIONS[name](screen, Random(name))
    again, whole = read_again(seen, later), read_image(later)
    assert again is not None
    ours, theirs = ({line.text for line in reading.lines} for reading in (again.reading, whole))
    assert len(ours & theirs) >= 0.9 * len(ours | theirs)


def test_a_screen_that_changed_much_is_read_in_full(seen: Sight) -> None:
    assert read_again(seen, Image.new("RGB", (1280, 800), "white")) is None


def test_a_screen_of_another_size_is_read_in_full(seen: Sight) -> None:
    assert read_again(seen, Image.new("RGB", (640, 400), "white")) is None


def test_a_session_is_read_as_if_each_screen_were_alone(screen: Image.Image, seen: Sight) -> None:
    sessions = Sessions()
    assert sessions.read(screen, "monday").lines == seen.reading.lines
    assert sessions.read(screen, "monday").lines == seen.reading.lines
    assert sessions.read(Image.new("RGB", (1280, 800), "white"), "monday").lines == ()


@given(x=st.integers(0, 99), y=st.integers(0, 69))
def test_one_changed_pixel_is_one_changed_block(x: int, y: int) -> None:
    before = np.zeros((70, 100, 3), dtype=np.uint8)
    now = before.copy()
    now[y, x, 1] = 1
    changed = changed_blocks(before, now)
    assert changed.sum() == 1
    assert changed[y // BLOCK, x // BLOCK]


@given(limit=st.integers(1, 60), ends=st.tuples(st.integers(0, 60), st.integers(0, 60)))
def test_a_window_holds_what_is_looked_at_and_has_one_of_few_sides(limit: int, ends: tuple[int, int]) -> None:
    start, end = sorted(min(each, limit) for each in ends)
    first, last = _grown(start, end, limit)
    assert 0 <= first <= start <= end <= last <= limit
    assert last - first in (*WINDOW_SIDES, limit)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.integers(0, 90), st.integers(0, 90)), max_size=12, unique=True).flatmap(st.permutations))
def test_reading_order_does_not_depend_on_the_order_lines_come_in(corners: list[tuple[int, int]]) -> None:
    lines = [Line(text=f"{x} {y}", box=(x / 100, y / 100, x / 100 + 0.1, y / 100 + 0.1), score=1) for x, y in corners]
    assert in_reading_order(lines, 800) == in_reading_order(sorted(lines, key=lambda line: line.text), 800)
