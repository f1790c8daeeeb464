"""Private text on drawn screens cannot be read any more, and what stands beside it still can."""

import re

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from core.environments.screen.redaction import redact
from core.reading import Line, Reading, read_image
from core.schema import NightshiftError
from core.settings import RedactionSettings

ALL = RedactionSettings(emails=True, cards=True, phones=True, names=("Ann Other",))
EMAIL, CARD, PHONE, NAME = "ann.other@example.com", "4111 1111 1111 1111", "+44 20 7946 0958", "Ann Other"
SECRETS = {"email": EMAIL, "card": CARD, "phone": PHONE, "name": NAME}
PIECE = 5


def screen(*texts: str, size: int = 22, dark: bool = False, columns: int = 1) -> Image.Image:
    """Lines of text below each other, in one or two columns."""
    ground, ink = ("#1e1e28", "#e6e6ea") if dark else ("white", "black")
    picture = Image.new("RGB", (1280, 720), ground)
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(size)
    for number, text in enumerate(texts):
        column, row = number % columns, number // columns
        draw.text((40 + 620 * column, 40 + row * int(2.2 * size)), text, ink, font=font)
    return picture


def signs(text: str) -> str:
    return re.sub(r"[^\w]", "", text).casefold()


def pieces(secret: str) -> set[str]:
    plain = signs(secret)
    return {plain[start : start + PIECE] for start in range(len(plain) - PIECE + 1)}


def readable(image: Image.Image, secret: str) -> set[str]:
    """Pieces of a secret that can be read on a picture, at its size and enlarged."""
    larger = image.resize((image.width * 2, image.height * 2), Image.Resampling.LANCZOS)
    return {piece for each in (image, larger) for piece in pieces(secret) if piece in signs(read_image(each).text)}


@pytest.mark.parametrize("kind", sorted(SECRETS))
@pytest.mark.parametrize(
    ("size", "dark"),
    [(14, False), *(pytest.param(*look, marks=pytest.mark.soak) for look in [(22, True), (40, False)])],
)
def test_nothing_of_it_can_be_read_afterwards(kind: str, size: int, dark: bool) -> None:
    secret = SECRETS[kind]
    image = screen("Quarterly report", f"Please ask {secret} about it", secret, "Budget 2031", size=size, dark=dark)
    assert readable(image, secret)

    painted, reading = redact(image, ALL)

    assert readable(painted, secret) == set()
    assert "Quarterly report" in reading.text and "Budget" in reading.text
    assert painted.size == image.size


def test_a_secret_alone_on_a_line_leaves_its_neighbours(kind: str = "email") -> None:
    painted, reading = redact(screen("Sender", SECRETS[kind], "Re: the sales report of March"), ALL)
    assert {"Sender", "Re: the sales report of March"} <= {line.text for line in reading.lines}
    assert readable(painted, SECRETS[kind]) == set()


def test_words_before_and_behind_it_stay(size: int = 24) -> None:
    _, reading = redact(screen(f"Please write to our office at {EMAIL} before the end of the month", size=size), ALL)
    assert "Please write to our" in reading.text and "end of the month" in reading.text


def test_a_number_that_is_read_in_several_boxes_is_one_number() -> None:
    picture = Image.new("RGB", (900, 300), "white")
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(26)
    for place, group in enumerate(CARD.split()):
        draw.text((60 + 110 * place, 120), group, "black", font=font)
    painted, _ = redact(picture, ALL)
    assert readable(painted, CARD) == set()


def test_a_screen_without_secrets_is_the_same_picture_and_is_read_once() -> None:
    image, times = screen("Quarterly report", "4111 1111 1111 1112", "Anna Others"), []

    def read(picture: Image.Image) -> Reading:
        times.append(picture)
        return read_image(picture)

    painted, reading = redact(image, ALL, read)
    assert painted is image and len(times) == 1
    assert reading.lines == read_image(image).lines


def test_only_the_place_of_it_changes() -> None:
    image = screen("Quarterly report", EMAIL, "Budget 2031", size=30)
    painted, _ = redact(image, ALL)
    changed = np.argwhere((np.asarray(painted) != np.asarray(image)).any(axis=2))
    (top, left), (bottom, right) = changed.min(axis=0), changed.max(axis=0)
    assert top > 90 and bottom < 160 and left < 50 and right < 420


def test_what_cannot_be_painted_over_is_refused() -> None:
    """A reader that goes on seeing it, whatever is painted."""
    line = Line(text=EMAIL, box=(0.1, 0.1, 0.5, 0.2), score=1.0)
    stubborn = Reading(width=200, height=100, lines=(line,), engine="x", read_ms=0.0)
    with pytest.raises(NightshiftError, match="not taken in"):
        redact(Image.new("RGB", (200, 100), "white"), ALL, lambda _: stubborn)
