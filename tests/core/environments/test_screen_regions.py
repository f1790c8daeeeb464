"""Windows, tool bars, notifications and videos on drawn desktops, whose canvas says what was drawn where."""

import pytest
from PIL import Image

from core.environments.screen import Element, screen_elements
from core.environments.screen.drawing import Canvas, Theme
from core.environments.screen.drawing.canvas import Box
from core.reading import Line, Reading

LIGHT = Theme("#dfe5ee", "#ffffff", "#eef1f5", "#c9d0da", "#20242c", "#68707f", "#2f6fde")
DARK = Theme("#12141a", "#1f232d", "#2a303c", "#3a4150", "#f0f2f6", "#a0a8b8", "#4cc2a0")
SIZE = (1280, 800)
MAIN, DIALOGUE = (60.0, 40.0, 1100.0, 740.0), (400.0, 260.0, 820.0, 520.0)
NOTE, FILM = (960.0, 640.0, 1264.0, 724.0), (120.0, 180.0, 680.0, 495.0)


class Desk(Canvas):
    """A canvas that remembers its text as a reading would have it."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self.lines: list[Line] = []

    def say(self, x: float, y: float, text: str, size: float = 16) -> None:
        self.text(x, y, text, size)
        left, top, right, bottom = x, y + 2, x + self.width_of(text, size), y + size * 1.15
        box = (left / SIZE[0], top / SIZE[1], right / SIZE[0], bottom / SIZE[1])
        self.lines.append(Line(text=text, box=box, score=0.99))

    def window(self, box: Box, title: str) -> None:
        self.rect(box, self.theme.surface, outline=self.theme.line)
        self.rect((box[0], box[1], box[2], box[1] + 34), self.theme.bar, outline=self.theme.line)
        self.say(box[0] + 40, box[1] + 8, title)
        for row in range(3):
            self.say(box[0] + 30, box[3] - 110 + 30 * row, f"Line {row} of what the window says")

    def elements(self) -> list[Element]:
        reading = Reading(width=SIZE[0], height=SIZE[1], lines=tuple(self.lines), engine="drawn", read_ms=0.0)
        return screen_elements(reading, self.image)


def desk(theme: Theme) -> Desk:
    return Desk(*SIZE, theme)


def found(elements: list[Element], kind: str) -> list[Box]:
    scale = (*SIZE, *SIZE)
    return [tuple(e * s for e, s in zip(each.box, scale, strict=True)) for each in elements if each.kind == kind]


def is_near(one: Box, other: Box, pixels: float = 8) -> bool:
    return all(abs(a - b) <= pixels for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_windows_over_windows_are_found_and_nothing_else_is_one(theme: Theme) -> None:
    canvas = desk(theme)
    canvas.window(MAIN, "Quarterly report - Writer")
    canvas.window(DIALOGUE, "Save changes?")
    boxes = found(canvas.elements(), "window")
    assert any(is_near(box, MAIN) for box in boxes) and any(is_near(box, DIALOGUE) for box in boxes)
    assert len(boxes) == 2


def test_a_plain_card_is_no_window() -> None:
    canvas = desk(LIGHT)
    canvas.rect(DIALOGUE, LIGHT.surface, outline=LIGHT.line)
    canvas.say(430, 300, "A card that says something")
    assert found(canvas.elements(), "window") == []


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_a_note_in_the_corner_is_a_notification(theme: Theme) -> None:
    canvas = desk(theme)
    canvas.window((0.0, 0.0, 900.0, 790.0), "Mail")
    canvas.rect(NOTE, theme.surface, radius=8, outline=theme.line)
    canvas.say(980, 652, "Backup finished")
    canvas.say(980, 684, "All 214 files were copied")
    (note,) = [each for each in canvas.elements() if each.kind == "notification"]
    assert is_near(found([note], "notification")[0], NOTE)
    assert note.text == "Backup finished All 214 files were copied"


def test_icons_in_a_row_are_a_tool_bar() -> None:
    canvas = desk(LIGHT)
    canvas.say(40, 10, "Untitled - Paint")
    for i in range(8):
        canvas.rect((100 + 40 * i, 60, 120 + 40 * i, 80), LIGHT.accent)
        canvas.line([(104 + 40 * i, 64), (116 + 40 * i, 76)], "#ffffff", 3)
    (bar,) = found(canvas.elements(), "tool_bar")
    assert is_near(bar, (100, 60, 400, 80))


@pytest.mark.parametrize(("time", "kind"), [("0:42 / 3:10", "video"), ("A picture of hills", "image")])
def test_a_picture_with_a_running_time_is_a_video(time: str, kind: str) -> None:
    canvas = desk(LIGHT)
    film = Image.effect_noise((560, 315), 40).convert("RGB")
    canvas.image.paste(film, (round(FILM[0]), round(FILM[1])))
    canvas.say(130, 505, time)
    kinds = [each.kind for each in canvas.elements() if each.kind in ("image", "video")]
    assert kinds == [kind]


def test_an_empty_desktop_has_none_of_them() -> None:
    kinds = {each.kind for each in desk(LIGHT).elements()}
    assert not kinds & {"window", "tool_bar", "notification", "video", "image"}
    assert Image.new("RGB", SIZE, LIGHT.page).tobytes() == desk(LIGHT).image.tobytes()
