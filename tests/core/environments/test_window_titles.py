from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from core.environments.screen import window_title
from core.environments.screen.rows import Rows
from core.environments.screen.titles import WEIGHTS, application_of, kept_window_title, title_features
from core.reading import Line, Reading, read_image
from core.services.verifying import edit_distance
from tests.core.memory_library import MemoryLibrary

Place = tuple[str, float, float, float]
"""Text, left, top and size, in pixels of a 1280 x 800 screen."""


def screen_of(*texts: Place, size: tuple[int, int] = (1280, 800)) -> tuple[Reading, Image.Image]:
    """A white screen with texts, and its reading as if nothing was misread."""
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    lines = []
    for text, x, y, height in texts:
        font = ImageFont.load_default(height)
        draw.text((x, y), text, "black", font)
        box = (x / size[0], y / size[1], (x + font.getlength(text)) / size[0], (y + height * 1.3) / size[1])
        lines.append(Line(text=text, box=box, score=0.99))
    return Reading(width=size[0], height=size[1], lines=tuple(lines), engine="drawn", read_ms=0.0), image


BODY: tuple[Place, ...] = tuple((f"Ordinary line of text number {i}", 300.0, 200.0 + 40 * i, 16.0) for i in range(10))
MENU: tuple[Place, ...] = tuple(
    (word, 10 + 60.0 * i, 40.0, 15.0) for i, word in enumerate(("File", "Edit", "View", "Help"))
)


def test_the_text_in_the_middle_of_a_title_bar_is_the_title() -> None:
    assert window_title(*screen_of(("report.odt - Writer", 560, 8, 16), *MENU, *BODY)) == "report.odt - Writer"


def test_the_way_to_where_one_is_is_the_title() -> None:
    assert window_title(*screen_of(("Leads / Ada Byron", 230, 20, 16), *BODY)) == "Leads / Ada Byron"


def test_a_way_back_and_icons_before_a_title_are_left_out() -> None:
    assert window_title(*screen_of(("< Back Inboxes", 30, 12, 20), *BODY)) == "Inboxes"


def test_a_menu_bar_at_the_top_is_no_title() -> None:
    at_top = tuple((word, x, 2.0, size) for word, x, _, size in MENU)
    assert window_title(*screen_of(*at_top, *BODY, size=(800, 600))) is None


@pytest.mark.parametrize("text", ["12:45", "100%", "<>", "Search the archive...", "https://example.org/a/b", "Log in"])
def test_what_else_a_bar_holds_is_no_title(text: str) -> None:
    assert window_title(*screen_of((text, 1000, 10, 15), *BODY)) != text


def test_a_screen_without_lines_has_no_title() -> None:
    assert window_title(*screen_of()) is None


def test_letters_of_any_script_make_a_title() -> None:
    assert window_title(*screen_of(("Отчёт за март - Таблицы", 540, 8, 16), *MENU, *BODY)) == "Отчёт за март - Таблицы"


def test_the_title_does_not_depend_on_the_order_of_the_lines() -> None:
    reading, image = screen_of(("report.odt - Writer", 560, 8, 16), *MENU, *BODY)
    turned = reading.model_copy(update={"lines": tuple(reversed(reading.lines))})
    assert window_title(turned, image) == window_title(reading, image)


def test_every_feature_has_a_weight_and_stays_small() -> None:
    for _, features in title_features(*screen_of(("report.odt - Writer", 560, 8, 16), *MENU, *BODY)):
        assert features.keys() == WEIGHTS.keys()
        assert all(-1 <= value <= 6 for value in features.values())


def test_a_run_of_short_neighbours_is_navigation_and_a_taller_brand_is_not() -> None:
    bar = tuple((word, 300 + 90.0 * i, 20.0, 16.0) for i, word in enumerate(("Places", "Travel", "People", "Trips")))
    rows = Rows.of(screen_of(("Wanderbook", 20, 16, 26), *bar, *BODY)[0])
    assert rows is not None
    assert {rows.texts[i] for i in rows.navigation} == {"Places", "Travel", "People", "Trips"}


@pytest.mark.parametrize(
    ("file", "title"),
    [
        ("code_editor.png", "forecast.py - tidewatch - Harbor Code"),
        ("kanban.png", "Ferry app, sprint 14 - Lanework"),
        ("social_feed.png", "chirrup"),
    ],
)
def test_the_titles_of_a_window_a_browser_and_a_phone_are_found(drawn: Path, file: str, title: str) -> None:
    image = Image.open(drawn / "images" / file)
    found = window_title(read_image(image), image)
    assert found is not None
    assert edit_distance(found, title) <= 0.2


@pytest.mark.parametrize("texts", [(("Отчёт 📈 - Таблицы", 540, 8, 16), *MENU, *BODY), ()], ids=["a title", "none"])
def test_a_title_that_is_kept_is_found_once_for_a_picture(texts: tuple[Place, ...]) -> None:
    reading, image = screen_of(*texts)
    library = MemoryLibrary()
    library.readings["m"], library.images["m"] = reading, image
    first = kept_window_title("m", library)
    assert first == window_title(reading, image)
    library.readings.clear()
    library.images.clear()
    assert kept_window_title("m", library) == first


@pytest.mark.parametrize(
    ("title", "application"),
    [
        ("Budget 2031.xlsx - Sheets", "sheets"),
        ("Inbox (3) \u2014 ann@example.org \u2014 Mail", "mail"),
        ("Settings", "settings"),
        ("well-known", "well-known"),
        (None, ""),
    ],
)
def test_an_application_is_what_stands_behind_the_last_dash(title: str | None, application: str) -> None:
    assert application_of(title) == application
