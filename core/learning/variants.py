"""Variants: one labelled example becomes several whose labels are known by construction.

A kind is a function and a statement of what it preserves. Kinds are registered by the environment that knows what may
change about its examples; this module knows how to run them, which pictures a budget allows, and how to choose.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from PIL.Image import Image
from pydantic import JsonValue

from core.learning.diversity import Look, most_diverse, thumbnail
from core.policy import Library
from core.reading import text_encoder
from core.reading.incremental import Sight
from core.schema import Example

__all__ = ["Draft", "Labelled", "VariantContext", "VariantKind", "draft_pictures", "draft_variants", "plan_pictures"]

PICTURES_SHARE = 0.5
"Of the variants of one parent, at most this share has another picture: the rest costs next to nothing."


@dataclass(frozen=True)
class Labelled:
    """An example with the answer a person gave it; None where nobody did, and student and judge disagree."""

    example: Example
    answer: JsonValue
    surprising: bool = False
    "The untrained policy would have answered otherwise, so the label is not about what a fresh eye sees."
    reason: str | None = None
    "Why, in that person's words."


@dataclass(frozen=True)
class Draft:
    """A variant before it is taken in: the same or another picture, the same or another question."""

    how: str
    parent: Example
    answer: JsonValue
    ask: str
    image: Image | None = None
    "A changed picture; None where the parent's is kept, or `media` takes its place."
    parameters: dict[str, JsonValue] = field(default_factory=dict)
    media: str | None = None
    "A picture that is there already, in place of the parent's."
    photos: tuple[str, ...] | None = None
    "Of several pictures, which the variant has, in which order; None for all of them."
    known: Sight | None = None
    "What `image` was before its last change and what is read off that, where little changed: the rest is read."
    doubtful: bool = False
    "Whether the judge has to confirm the answer, whatever can be read."


@dataclass(frozen=True)
class VariantContext:
    """What a kind may look at: all labelled examples of the night, the pictures, and what belongs to them."""

    labelled: Sequence[Labelled]
    library: Library
    neighbours: Mapping[str, Sequence[str]] = field(default_factory=dict)
    "Pictures next to one in its session that are near-duplicates of it, nearest first; by media id."
    written: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    "What the judge's model wrote in place of an ask, by how it was to be said."


@dataclass(frozen=True)
class VariantKind:
    """One way to make variants. `label` says whether the parent's answer is kept or flips."""

    name: str
    label: Literal["keeps", "flips"]
    changes_pixels: bool
    "Such a variant has to be read again; all others are not."
    limit: int
    "At most this many a parent."
    make: Callable[[Labelled, VariantContext, np.random.Generator], list[Draft]]
    preserves: str
    "What stays as it was, so that the label is known."
    cost_s: float = 0.0
    """What one picture counts in the night's budget: about the seconds of two cores for making and reading it. A stated
    cost and not the time it takes, so that a night that is run again makes the same."""

    def __post_init__(self) -> None:
        if self.changes_pixels != (self.cost_s > 0):
            raise ValueError(f"variant kind {self.name!r}: it has a cost if, and only if, it changes pixels")


def draft_variants(
    parent: Labelled, kinds: Sequence[VariantKind], context: VariantContext, *, seed: int, limit: int
) -> list[Draft]:
    """Up to `limit` drafts of one parent, the most diverse; the same whatever other parents there are besides
    `context`."""
    drafts = [draft for kind in kinds for draft in _drafts(parent, kind, context, seed)]
    if len(drafts) <= 1:
        return drafts[:limit]
    places = most_diverse(*_looks(parent, drafts, context.library), limit)
    return [drafts[place] for place in sorted(places)]


def draft_pictures(parent: Labelled, kinds: Sequence[VariantKind], library: Library, *, seed: int) -> list[Draft]:
    """The drafts of these kinds, which change pixels and look at nothing but their parent."""
    context = VariantContext([parent], library)
    return [draft for kind in kinds for draft in _drafts(parent, kind, context, seed)]


def plan_pictures(
    parents: Sequence[Labelled], kinds: Sequence[VariantKind], *, seed: int, limit: int, budget_s: float
) -> tuple[dict[str, list[VariantKind]], float]:
    """Which kinds that change pixels are made of which example, and what that costs in stated seconds.

    In the order of `parents` each gets up to half of its `limit`, the kinds in an order of its own so that all come up
    alike, until the budget does not hold the next one. Follows from the arguments alone.
    """
    repainting = [kind for kind in kinds if kind.changes_pixels]
    each = int(np.ceil(limit * PICTURES_SHARE))
    plan: dict[str, list[VariantKind]] = {}
    spent_s = 0.0
    for parent in parents:
        order = _generator(seed, "pictures", parent.example.id).permutation(len(repainting))
        for kind in [repainting[place] for place in order][:each]:
            cost_s = kind.cost_s * kind.limit
            if spent_s + cost_s > budget_s:
                return plan, round(spent_s, 3)
            plan.setdefault(parent.example.id, []).append(kind)
            spent_s += cost_s
    return plan, round(spent_s, 3)


def _drafts(parent: Labelled, kind: VariantKind, context: VariantContext, seed: int) -> list[Draft]:
    return kind.make(parent, context, _generator(seed, kind.name, parent.example.id))[: kind.limit]


def _generator(seed: int, *names: str) -> np.random.Generator:
    digest = hashlib.sha256("/".join([str(seed), *names]).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))


def _looks(parent: Labelled, drafts: Sequence[Draft], library: Library) -> tuple[list[Look], Look]:
    """How the drafts look, and their parent. Pictures are only opened where there is another one."""
    asks = text_encoder().embed([parent.example.ask, *(draft.ask for draft in drafts)])
    pictures = [draft.image or (library.image(draft.media) if draft.media else None) for draft in drafts]
    of_parent = thumbnail(library.image(parent.example.media[0])) if any(pictures) else None
    looks = [
        Look(draft.how, ask_D, thumbnail(picture) if picture else of_parent)
        for draft, ask_D, picture in zip(drafts, asks[1:], pictures, strict=True)
    ]
    return looks, Look("", asks[0], of_parent)
