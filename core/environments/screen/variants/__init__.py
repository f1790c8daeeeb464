"""How a labelled screen may change without changing, or knowingly changing, its label: one function a kind."""

from core.environments.screen.variants.chrome import REFRAMED
from core.environments.screen.variants.contrast import NEAR_MISS, OTHER_WORK
from core.environments.screen.variants.covers import OCCLUDED, OVERLAID
from core.environments.screen.variants.evidence import evidence_left
from core.environments.screen.variants.language import TRANSLATED
from core.environments.screen.variants.neighbours import NEIGHBOUR
from core.environments.screen.variants.paraphrase import REWORDED
from core.environments.screen.variants.repaint import COMPRESSED, RECOLOURED, RESCALED
from core.environments.screen.variants.written import may_stand_for, rewrites

__all__ = ["KINDS", "evidence_left", "may_stand_for", "rewrites"]

KINDS = (
    REWORDED,
    TRANSLATED,
    OTHER_WORK,
    NEAR_MISS,
    NEIGHBOUR,
    RECOLOURED,
    RESCALED,
    REFRAMED,
    OVERLAID,
    OCCLUDED,
    COMPRESSED,
)
"""Every kind there is of screens."""
