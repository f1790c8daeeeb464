"""The same screen under another description, which makes it off task: other work, and other work of the same kind.

Only from an on-task label that a fresh eye shares: where a customer's rule made the screen on task, another work may
well leave it so. For the same reason nothing is made for a screen that resembles one under such a rule.
"""

import tomllib
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.learning.variants import Draft, Labelled, VariantContext, VariantKind
from core.policy.reader.asks import parse_ask
from core.policy.reader.words import stems
from core.reading import text_encoder

__all__ = ["NEAR_MISS", "OTHER_WORK", "purposes"]

UNLIKE = 0.3
"Descriptions less alike than this are different work."
SAME_KIND = 0.3
"A description at least this like a typical one of an activity is work of that activity."
OTHER_PURPOSE = 0.6
"Two descriptions of one activity that are more alike than this may be one and the same purpose."
RARE = 1.5
"Words rarer than this say what a purpose is about."
MOST_SHOWN = 0.34
"Share of the rare words of a purpose that may stand on the screen by chance."
RULE_LIKENESS = 0.35
PURPOSES = Path(__file__).parents[1] / "data" / "purposes.toml"


@lru_cache(maxsize=1)
def purposes() -> dict[str, list[str]]:
    """Made-up purposes by activity: the first of each is a typical one, and only says which activity is meant."""
    return tomllib.loads(PURPOSES.read_text(encoding="utf-8"))


def _other_work(parent: Labelled, context: VariantContext, generator: np.random.Generator) -> list[Draft]:
    """The same screen under another person's work, unlike the own."""
    if not _may_flip(parent, context):
        return []
    own_D = _embedded(parent.example.ask)
    others = _borrowed(parent, context)
    generator.shuffle(others)
    return [
        _flipped("other_work", parent, ask)
        for ask, ask_D in zip(others, text_encoder().embed(others), strict=True)
        if float(ask_D @ own_D) < UNLIKE
    ]


def _near_miss(parent: Labelled, context: VariantContext, generator: np.random.Generator) -> list[Draft]:
    """The same application for another purpose: what it is about stands nowhere on the screen."""
    if not _may_flip(parent, context):
        return []
    own_D, nearest = _embedded(parent.example.ask), _activity_of(parent.example.ask)
    if nearest is None:
        return []
    made_up = purposes()[nearest][1:]
    borrowed = _of_activity(_borrowed(parent, context), nearest)
    shown = set(stems(context.library.reading(parent.example.media[0]).text))
    candidates = [*borrowed, *made_up]
    generator.shuffle(candidates)
    return [
        _flipped("near_miss", parent, ask, activity=nearest)
        for ask, ask_D in zip(candidates, text_encoder().embed(candidates), strict=True)
        if float(ask_D @ own_D) < OTHER_PURPOSE and _is_about_something_else(ask, shown)
    ]


@lru_cache(maxsize=50_000)
def _activity_of(ask: str) -> str | None:
    """The activity whose typical description is nearest; None where none is near."""
    typical_AD = text_encoder().embed([asks[0] for asks in purposes().values()])
    likeness = dict(zip(purposes(), (typical_AD @ _embedded(ask)).tolist(), strict=True))
    nearest = max(likeness, key=lambda activity: likeness[activity])
    return nearest if likeness[nearest] >= SAME_KIND else None


def _of_activity(asks: list[str], activity: str) -> list[str]:
    """Those that belong to the activity; all are embedded in one call, and remembered."""
    text_encoder().embed(asks)
    return [ask for ask in asks if _activity_of(ask) == activity]


def _is_about_something_else(ask: str, shown: set[str]) -> bool:
    """Whether `ask` names things, and hardly any of them stands on a screen with the words `shown`."""
    encoder = text_encoder()
    rare = {word for word in stems(ask) if encoder.rarity(word) > RARE}
    return len(rare) >= 2 and len(rare & shown) <= MOST_SHOWN * len(rare)


def _may_flip(parent: Labelled, context: VariantContext) -> bool:
    answers = parent.example.answers or ("",)
    return parent.answer == answers[0] and not parent.surprising and not _under_a_rule(parent, context)


def _flipped(how: str, parent: Labelled, ask: str, **parameters: str) -> Draft:
    off_task = (parent.example.answers or ())[1]
    return Draft(how, parent.example, off_task, ask, parameters={**parameters})


def _borrowed(parent: Labelled, context: VariantContext) -> list[str]:
    """Descriptions of other screens that rule nothing out, each once."""
    others = [
        other.example.ask
        for other in context.labelled
        if other.example.cluster != parent.example.cluster and not parse_ask(other.example.ask).excluded
    ]
    return sorted(dict.fromkeys(others))


def _under_a_rule(parent: Labelled, context: VariantContext) -> bool:
    own_D = _screen_vector(parent, context)
    return any(
        other.surprising
        and other.answer == parent.answer
        and float(_screen_vector(other, context) @ own_D) > RULE_LIKENESS
        for other in context.labelled
    )


def _screen_vector(labelled: Labelled, context: VariantContext) -> NDArray[np.float32]:
    text = context.library.reading(labelled.example.media[0]).text
    return text_encoder().embed([text[:2000]], 256)[0]


def _embedded(ask: str) -> NDArray[np.float32]:
    return text_encoder().embed([ask])[0]


OTHER_WORK = VariantKind(
    "other_work",
    "flips",
    changes_pixels=False,
    limit=3,
    make=_other_work,
    preserves="the picture; the description is of unlike work",
)
NEAR_MISS = VariantKind(
    "near_miss",
    "flips",
    changes_pixels=False,
    limit=2,
    make=_near_miss,
    preserves="the picture and the kind of application; the purpose is another",
)
