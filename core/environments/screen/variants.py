"""How a labelled screen may change without changing, or knowingly changing, its label."""

import io
import re

import numpy as np
from PIL import Image, ImageOps

from core.learning.variants import Draft, Labelled, VariantContext, VariantKind
from core.policy.reader.asks import parse_ask
from core.reading import text_encoder

__all__ = ["OTHER_WORK", "RECOLOURED", "RESCALED", "REWORDED", "recolour", "rescale", "reword"]

UNLIKE = 0.3
"Descriptions less alike than this are different work."

OPENINGS = (
    "{}",
    "Please: {}",
    "My task right now is this: {}",
    "Today I have to do the following. {}",
    "To do: {}",
    "I am supposed to {}",
    "Next on the list: {}",
)
SYNONYMS = (
    ("check", "verify"),
    ("write", "draft"),
    ("find out", "work out"),
    ("fix", "repair"),
    ("finish", "complete"),
    ("set up", "configure"),
    ("look at", "inspect"),
    ("review", "go over"),
    ("update", "bring up to date"),
    ("prepare", "get ready"),
    ("test", "try out"),
    ("answer", "reply to"),
    ("plan", "schedule"),
    ("compare", "set side by side"),
)


def reword(ask: str, generator: np.random.Generator) -> str:
    """The same request in other words: another opening, and synonyms of common verbs."""
    text = ask.rstrip(".")
    for one, other in SYNONYMS:
        if generator.random() < 0.7:
            text = re.sub(rf"\b{one}\b", other, text, flags=re.IGNORECASE)
    opening = OPENINGS[int(generator.integers(1, len(OPENINGS)))]
    lowered = text[:1].lower() + text[1:] if text[1:2].islower() else text
    return opening.format(lowered) + "."


def _reworded(parent: Labelled, context: VariantContext, generator: np.random.Generator) -> list[Draft]:  # noqa: ARG001
    asks = dict.fromkeys(reword(parent.example.ask, generator) for _ in range(6))
    return [Draft("reworded", parent.example, parent.answer, ask) for ask in asks if ask != parent.example.ask]


def _other_work(parent: Labelled, context: VariantContext, generator: np.random.Generator) -> list[Draft]:
    """The same screen under another person's work, off task.

    Only from an on-task label that a fresh eye shares: where a customer's rule made the screen on task, another work
    may well leave it so. For the same reason nothing is made for a screen that resembles one under such a rule.
    """
    answers = parent.example.answers or ()
    if parent.answer != answers[0] or parent.surprising or _under_a_rule(parent, context):
        return []
    encoder = text_encoder()
    own = encoder.embed([parent.example.ask])[0]
    others = [
        other.example.ask
        for other in context.labelled
        if other.example.cluster != parent.example.cluster and not parse_ask(other.example.ask).excluded
    ]
    others = sorted(dict.fromkeys(others))
    generator.shuffle(others)
    unlike = [ask for ask in others if float(encoder.embed([ask])[0] @ own) < UNLIKE]
    return [Draft("other_work", parent.example, answers[1], ask) for ask in unlike]


RULE_LIKENESS = 0.35


def _under_a_rule(parent: Labelled, context: VariantContext) -> bool:
    own = _screen_vector(parent, context)
    return any(
        other.surprising
        and other.answer == parent.answer
        and float(_screen_vector(other, context) @ own) > RULE_LIKENESS
        for other in context.labelled
    )


def _screen_vector(labelled: Labelled, context: VariantContext) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
    text = context.library.reading(labelled.example.media[0]).text
    return text_encoder().embed([text[:2000]], 256)[0]


def rescale(image: Image.Image, generator: np.random.Generator) -> Image.Image:
    """Seven to nine tenths of the size, through JPEG: what a chat program or a remote desktop does to a screen."""
    factor = float(generator.uniform(0.7, 0.9))
    size = (max(64, round(image.width * factor)), max(64, round(image.height * factor)))
    smaller = image.resize(size, Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    smaller.save(buffer, "JPEG", quality=int(generator.integers(55, 80)))
    return Image.open(io.BytesIO(buffer.getvalue())).convert("RGB")


def recolour(image: Image.Image, generator: np.random.Generator) -> Image.Image:
    """Dark for light and light for dark, or another tint: another theme of the same program."""
    if generator.random() < 0.5:
        return ImageOps.invert(image)
    tint = generator.uniform(0.8, 1.0, size=3)
    return Image.fromarray((np.asarray(image, dtype=np.float32) * tint).astype(np.uint8))


def _rescaled(parent: Labelled, context: VariantContext, generator: np.random.Generator) -> list[Draft]:
    image = rescale(context.library.image(parent.example.media[0]), generator)
    return [Draft("rescaled", parent.example, parent.answer, parent.example.ask, image)]


def _recoloured(parent: Labelled, context: VariantContext, generator: np.random.Generator) -> list[Draft]:
    image = recolour(context.library.image(parent.example.media[0]), generator)
    return [Draft("recoloured", parent.example, parent.answer, parent.example.ask, image)]


REWORDED = VariantKind("reworded", "keeps", changes_pixels=False, limit=3, make=_reworded)
OTHER_WORK = VariantKind("other_work", "flips", changes_pixels=False, limit=3, make=_other_work)
RESCALED = VariantKind("rescaled", "keeps", changes_pixels=True, limit=1, make=_rescaled)
RECOLOURED = VariantKind("recoloured", "keeps", changes_pixels=True, limit=1, make=_recoloured)
