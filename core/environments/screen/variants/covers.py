"""Something in front of a part of the screen: a notification, a chat that pops up, another window."""

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL.Image import Image

from core.environments.screen.drawing.canvas import Canvas, Theme, mix
from core.learning.variants import Draft, Labelled, VariantContext, VariantKind
from core.policy.reader.words import stems
from core.reading.incremental import Sight
from core.reading.ocr import pixels_of

__all__ = ["OCCLUDED", "OVERLAID", "THEMES"]

NOTICES = Path(__file__).parents[1] / "data" / "notices.toml"
THEMES = (
    Theme("#ffffff", "#f4f6f9", "#e8ebf0", "#cfd5df", "#1d2129", "#6a7280", "#2f6fde"),
    Theme("#23262e", "#2d313b", "#1a1d23", "#454b59", "#f2f4f8", "#a6adbb", "#6aa3ff"),
    Theme("#fbfaf6", "#f3efe4", "#ece6d6", "#d3cbb5", "#332f26", "#7a7361", "#b0741a"),
    Theme("#10241f", "#173029", "#0c1b17", "#2f5146", "#e7f5ef", "#9dbcb0", "#4cc38a"),
)
SMALLEST = (240, 160)
"Pixels: on a smaller screen nothing pops up."
COVERED = (0.03, 0.075)
"Share of the screen that something in front of it takes: of more, nothing could be read again by what was known."
CHAT_SHARE = 0.4
"How often what pops up is a chat rather than a notification."
ATTEMPTS = 6


@lru_cache(maxsize=1)
def _notices() -> dict[str, Any]:
    return tomllib.loads(NOTICES.read_text(encoding="utf-8"))


def _overlaid(parent: Labelled, context: VariantContext, generator: np.random.Generator) -> list[Draft]:
    """A notification or a chat in a corner, whose words have nothing to do with the work."""
    image = context.library.image(parent.example.media[0])
    said = _unrelated(parent.example.ask, generator)
    if said is None or image.width < SMALLEST[0] or image.height < SMALLEST[1]:
        return []
    canvas = Canvas.over(image, THEMES[int(generator.integers(len(THEMES)))])
    is_chat = generator.random() < CHAT_SHARE
    (_chat if is_chat else _notification)(canvas, *said, generator)
    return [_in_front("overlaid", parent, context, canvas, shape="chat" if is_chat else "notification")]


def _occluded(parent: Labelled, context: VariantContext, generator: np.random.Generator) -> list[Draft]:
    """An empty window that hides a part of the screen."""
    image = context.library.image(parent.example.media[0])
    if image.width < SMALLEST[0] or image.height < SMALLEST[1]:
        return []
    canvas = Canvas.over(image, THEMES[int(generator.integers(len(THEMES)))])
    area = float(generator.uniform(*COVERED)) * image.width * image.height
    width = min(image.width * 0.7, float(np.sqrt(area * generator.uniform(1.0, 2.2))))
    height = min(image.height * 0.7, area / width)
    left = float(generator.uniform(0, image.width - width))
    top = float(generator.uniform(0, image.height - height))
    box = (left, top, left + width, top + height)
    canvas.rect(box, canvas.theme.page, radius=6, outline=canvas.theme.line)
    canvas.rect((*box[:3], top + min(26.0, height / 3)), canvas.theme.bar, radius=6)
    return [_in_front("occluded", parent, context, canvas)]


def _in_front(how: str, parent: Labelled, context: VariantContext, canvas: Canvas, **parameters: str) -> Draft:
    """The draft, with what was known of the screen before anything stood in front of it."""
    media = parent.example.media[0]
    known = Sight(pixels_of(context.library.image(media)), context.library.reading(media))
    ask = parent.example.ask
    return Draft(how, parent.example, parent.answer, ask, canvas.image, parameters={**parameters}, known=known)


def _unrelated(ask: str, generator: np.random.Generator) -> tuple[str, str] | None:
    """Who writes and what, without a word of the work; None where all that is at hand has one."""
    own, notices = set(stems(ask)), _notices()
    for _ in range(ATTEMPTS):
        sender = str(generator.choice(notices["senders"]))
        words = str(generator.choice(notices["words"]))
        if not own & set(stems(f"{sender} {words}")) - set(notices["common"]):
            return sender, words
    return None


def _notification(canvas: Canvas, sender: str, words: str, generator: np.random.Generator) -> None:
    """A card at the right edge, above or below, or at the top in the middle of a narrow screen."""
    scale = _scale(canvas.image)
    width, height = min(330 * scale, canvas.image.width * 0.8), 74 * scale
    left = canvas.image.width - width - 10 * scale
    if canvas.image.height > canvas.image.width:
        left = (canvas.image.width - width) / 2
    top = 10 * scale if generator.random() < 0.5 else canvas.image.height - height - 46 * scale
    canvas.rect((left, top, left + width, top + height), canvas.theme.page, radius=8, outline=canvas.theme.line)
    canvas.avatar(left + 12 * scale, top + 17 * scale, 40 * scale, sender)
    canvas.text(left + 64 * scale, top + 14 * scale, sender, 16 * scale, bold=True, width=width - 76 * scale)
    canvas.text(left + 64 * scale, top + 40 * scale, words, 15 * scale, canvas.theme.muted, width=width - 76 * scale)


def _chat(canvas: Canvas, sender: str, words: str, generator: np.random.Generator) -> None:
    """A small chat window at the lower edge with one bubble."""
    scale = _scale(canvas.image)
    width, height = min(250 * scale, canvas.image.width * 0.7), min(200 * scale, canvas.image.height * 0.3)
    left = float(generator.uniform(0.5, 1.0)) * (canvas.image.width - width)
    box = (left, canvas.image.height - height, left + width, canvas.image.height)
    canvas.rect(box, canvas.theme.page, radius=8, outline=canvas.theme.line)
    canvas.rect((*box[:3], box[1] + 34 * scale), canvas.theme.accent, radius=8)
    canvas.text(left + 12 * scale, box[1] + 17 * scale, sender, 15 * scale, "#ffffff", anchor="lm", width=width * 0.8)
    bubble = (left + 12 * scale, box[1] + 46 * scale, left + width - 30 * scale, box[1] + 104 * scale)
    canvas.rect(bubble, mix(canvas.theme.page, canvas.theme.accent, 0.14), radius=10)
    canvas.paragraph(
        bubble[0] + 10 * scale, bubble[1] + 8 * scale, bubble[2] - bubble[0] - 20 * scale, words, 15 * scale, lines=2
    )


def _scale(image: Image) -> float:
    """Of what is drawn, so that it is as large as it would be: 1 for a screen of some 1280 x 800."""
    return max(0.75, float(np.sqrt(image.width * image.height / (1280 * 800))))


OVERLAID = VariantKind(
    "overlaid",
    "keeps",
    changes_pixels=True,
    limit=1,
    make=_overlaid,
    preserves="the screen but for a corner, where somebody says something else",
    cost_s=0.25,
)
OCCLUDED = VariantKind(
    "occluded",
    "keeps",
    changes_pixels=True,
    limit=1,
    make=_occluded,
    preserves="the screen but for a part that an empty window hides",
    cost_s=0.25,
)
