"""Which parts of a screen speak for the work and which against it, as a release has learnt to see it.

A part's weight is what the verdict loses without it: the release answers the screen as it is, and again with the
lines of that part left out. So it follows from the description of the work and from all corrections the release was
trained on, and from no list.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PIL.Image import Image

from core.environments.screen import Element
from core.policy import Library
from core.reading import Line, Reading
from core.schema import Example, NightshiftError
from core.services.classify import Classifier

if TYPE_CHECKING:
    from core.policy.base import Arrays

__all__ = ["weighed"]

SPEAKS = 0.5
"Share of the heaviest part's weight from which on a part is relevant or distracting: a sure verdict hardly moves."
LEAST = 0.001
"Log-odds under which nothing speaks: weights are told to so many decimals."
MOST_PARTS = 32
LINES_WEIGHED = 16
"Of the lines of text, the highest ones."
HOLDS_LINES = ("menu_bar", "tool_bar", "table", "notification", "button")


def weighed(classifier: Classifier, example: Example, library: Library, elements: Sequence[Element]) -> list[Element]:
    """The elements, those that were weighed with `weight` (log-odds toward the first answer) and `says`.

    Weighed are parts with text: bars, tables, notifications, buttons, and the highest lines. Raises NightshiftError
    for a policy that reads nothing.
    """
    if not classifier.policy.reads:
        raise NightshiftError(f"policy {classifier.policy.name!r} reads no text, so parts of a screen are not weighed")
    (media,) = example.media
    reading = library.reading(media)
    chosen = _chosen(elements)
    left_out = [frozenset(_lines_in(reading, elements[k])) for k in chosen]
    partial = _Partial(library, media, [frozenset(), *left_out])
    examples = [example.model_copy(update={"media": (partial.name(place),)}) for place in range(len(left_out) + 1)]
    logprobs_NK = classifier.answer_logprobs(examples, partial)
    whole, *without = [logprobs[0] - logprobs[1] for logprobs in logprobs_NK]
    weights = dict(zip(chosen, (whole - each for each in without), strict=True))
    speaks = max(LEAST, SPEAKS * max((abs(weight) for weight in weights.values()), default=0.0))
    return [_told(element, weights.get(k), speaks) for k, element in enumerate(elements)]


def _told(element: Element, weight: float | None, speaks: float) -> Element:
    if weight is None:
        return element
    says = "relevant" if weight >= speaks else "distracting" if weight <= -speaks else "neutral"
    return element.model_copy(update={"weight": round(weight, 3), "says": says})


def _chosen(elements: Sequence[Element]) -> list[int]:
    parts = [k for k, element in enumerate(elements) if element.kind in HOLDS_LINES]
    lines = [k for k, element in enumerate(elements) if element.kind == "text"]
    highest = sorted(lines, key=lambda k: elements[k].box[1] - elements[k].box[3])[:LINES_WEIGHED]
    return [*highest, *parts][:MOST_PARTS]


def _lines_in(reading: Reading, element: Element) -> list[Line]:
    left, top, right, bottom = element.box
    return [
        line
        for line in reading.lines
        if left <= (line.box[0] + line.box[2]) / 2 <= right and top <= (line.box[1] + line.box[3]) / 2 <= bottom
    ]


class _Partial:
    """A picture under several names, under each without some of its lines; nothing of it is kept."""

    def __init__(self, library: Library, media: str, left_out: Sequence[frozenset[Line]]) -> None:
        self._library, self._media = library, media
        self._left_out = {self.name(place): lines for place, lines in enumerate(left_out)}

    def name(self, place: int) -> str:
        return f"{self._media}-{place}"

    def image(self, media: str) -> Image:  # noqa: ARG002
        return self._library.image(self._media)

    def reading(self, media: str) -> Reading:
        whole, left_out = self._library.reading(self._media), self._left_out[media]
        return whole.model_copy(update={"lines": tuple(line for line in whole.lines if line not in left_out)})

    def arrays(self, media: str, name: str, make: "Callable[[], Arrays]") -> "Arrays":  # noqa: ARG002
        return make()
