"""The same work on another screen: the one a moment before or after in the same session."""

import numpy as np

from core.learning.variants import Draft, Labelled, VariantContext, VariantKind

__all__ = ["NEIGHBOUR"]


def _neighbours(parent: Labelled, context: VariantContext, generator: np.random.Generator) -> list[Draft]:  # noqa: ARG001
    """Only near-duplicates are handed in: what looks otherwise a moment later may be something else."""
    example = parent.example
    return [
        Draft("neighbour", example, parent.answer, example.ask, media=media)
        for media in context.neighbours.get(example.media[0], ())
    ]


NEIGHBOUR = VariantKind(
    "neighbour",
    "keeps",
    changes_pixels=False,
    limit=2,
    make=_neighbours,
    preserves="the description, and the screen but for what a moment changes",
)
