"""Elements on drawn screens, whose canvas says what it drew."""

import tomllib
from collections.abc import Iterator
from random import Random
from typing import Any, NamedTuple

import pytest
from PIL import Image

from core.environments.screen import Element, draw, screen_elements, signals
from core.environments.screen.drawing import Canvas, Theme
from core.environments.screen.drawing.canvas import Box
from core.reading import Reading, read_image


class Drawn(NamedTuple):
    """A screen, what it holds, and what was found on it."""

    image: Image.Image
    buttons: list[Box]
    pictures: list[Box]
    tables: list[Box]
    found: list[Element]


class Witness(Canvas):
    """A canvas that remembers buttons, pictures and tables."""

    last: "Witness"

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.buttons: list[Box] = []
        self.pictures: list[Box] = []
        self.tables: list[Box] = []
        Witness.last = self

    def pill(self, x: float, y: float, text: str, fill: str, *, size: float = 15, **look: Any) -> float:
        right = super().pill(x, y, text, fill, size=size, **look)
        self.buttons.append((x, y, right, y + size * 1.95))
        return right

    def picture(self, box: Box, rng: Random, radius: float = 8) -> None:
        super().picture(box, rng, radius)
        self.pictures.append(box)

    def table(self, box: Box, cells: Any, shares: Any, step: float = 40) -> None:
        super().table(box, cells, shares, step)
        self.tables.append((*box[:3], min(box[3], box[1] + step * len(cells))))


@pytest.fixture(scope="module")
def drawn_elements() -> Iterator[dict[str, Drawn]]:
    """Four screens by the name of their file, each read once."""
    samples = tomllib.loads(draw.SAMPLES.read_text(encoding="utf-8"))
    wanted = ("kanban.png", "video.png", "shop.png", "music.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(draw, "Canvas", Witness)
        yield {each["file"]: drawn(each, samples["themes"]) for each in samples["screens"] if each["file"] in wanted}


def drawn(screen: dict[str, Any], themes: dict[str, dict[str, str]]) -> Drawn:
    image = draw._draw(screen, Theme(**{**themes[screen["theme"]], "accent": screen["accent"]}), Random(0))
    canvas = Witness.last
    return Drawn(image, canvas.buttons, canvas.pictures, canvas.tables, screen_elements(read_image(image), image))


def overlap(one: Box, other: Box) -> float:
    """Intersection over union."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    if wide <= 0 or high <= 0:
        return 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return wide * high / (sum(areas) - wide * high)


def boxes(screen: Drawn, kind: str) -> list[Box]:
    width, height = screen.image.size
    scales = (width, height, width, height)
    return [
        tuple(edge * scale for edge, scale in zip(element.box, scales, strict=True))
        for element in screen.found
        if element.kind == kind
    ]


def recall(expected: list[Box], found: list[Box]) -> float:
    return sum(any(overlap(box, other) > 0.5 for other in found) for box in expected) / len(expected)


@pytest.mark.parametrize("file", ["kanban.png", "shop.png"])
def test_buttons_and_tags_are_found(drawn_elements: dict[str, Drawn], file: str) -> None:
    screen = drawn_elements[file]
    assert recall(screen.buttons, boxes(screen, "button")) >= 0.8
    assert recall(boxes(screen, "button"), screen.buttons) >= 0.5


def test_pictures_are_found(drawn_elements: dict[str, Drawn]) -> None:
    screen = drawn_elements["video.png"]
    assert recall(screen.pictures, boxes(screen, "image")) >= 0.6
    assert recall(boxes(screen, "image"), screen.pictures) >= 0.6


def test_a_table_is_one_table(drawn_elements: dict[str, Drawn]) -> None:
    screen = drawn_elements["music.png"]
    assert recall(screen.tables, boxes(screen, "table")) == 1.0
    assert len(boxes(screen, "table")) == 1


def test_every_line_of_text_is_an_element_and_every_box_is_on_the_screen(drawn_elements: dict[str, Drawn]) -> None:
    for screen in drawn_elements.values():
        assert {"text", "button"} <= {element.kind for element in screen.found}
        for element in screen.found:
            left, top, right, bottom = element.box
            assert 0 <= left < right <= 1 and 0 <= top < bottom <= 1
            assert 0 <= element.score <= 1


def test_the_same_screen_gives_the_same_elements(drawn_elements: dict[str, Drawn]) -> None:
    screen = drawn_elements["shop.png"]
    reading = read_image(screen.image)
    assert screen_elements(reading, screen.image) == screen_elements(reading, screen.image)


@pytest.mark.parametrize("size", [(1, 1), (7, 300), (640, 400)])
def test_an_empty_picture_has_no_elements(size: tuple[int, int]) -> None:
    image = Image.new("RGB", size, "white")
    nothing = Reading(width=size[0], height=size[1], lines=(), engine="none", read_ms=0.0)
    assert screen_elements(nothing, image) == []
    assert signals([], image)["text_share"] == 0
