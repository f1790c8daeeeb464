"""Variants: one labelled example becomes several whose labels are known by construction.

A kind is a function and a statement of what it does to the label. Kinds are registered by the environment that
knows what may change about its examples; this module only knows how to run them.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from PIL.Image import Image
from pydantic import JsonValue

from core.policy import Library
from core.schema import Example

__all__ = ["Draft", "Labelled", "VariantContext", "VariantKind", "draft_variants"]


@dataclass(frozen=True)
class Labelled:
    """An example with the answer a person gave it."""

    example: Example
    answer: JsonValue
    surprising: bool = False
    "The untrained policy would have answered otherwise, so the label is not about what a fresh eye sees."


@dataclass(frozen=True)
class Draft:
    """A variant before it is taken in: the same or another picture, the same or another question."""

    how: str
    parent: Example
    answer: JsonValue
    ask: str
    image: Image | None = None
    "A changed picture; None where the parent's is kept."
    parameters: dict[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True)
class VariantContext:
    """What a kind may look at: all labelled examples of the night, and the pictures."""

    labelled: Sequence[Labelled]
    library: Library


@dataclass(frozen=True)
class VariantKind:
    """One way to make variants. `label` says whether the parent's answer is kept or flips."""

    name: str
    label: Literal["keeps", "flips"]
    changes_pixels: bool
    limit: int
    "At most this many a parent."
    make: Callable[[Labelled, VariantContext, np.random.Generator], list[Draft]]


def draft_variants(
    parent: Labelled, kinds: Sequence[VariantKind], context: VariantContext, *, seed: int, limit: int
) -> list[Draft]:
    """Up to `limit` drafts of one parent, kind by kind; the same whatever other parents there are besides `context`."""
    drafts: list[Draft] = []
    for kind in kinds:
        digest = hashlib.sha256(f"{seed}/{kind.name}/{parent.example.id}".encode()).digest()
        generator = np.random.default_rng(int.from_bytes(digest[:8], "big"))
        drafts += kind.make(parent, context, generator)[: kind.limit]
    return drafts[:limit]
