"""What each part of the learning is worth: the same split, learnt from with one part taken out."""

from core.services.ablation.arms import ARMS, Arm, choose_arms
from core.services.ablation.protocol import ablate
from core.services.ablation.variants import ablate_variants

__all__ = ["ARMS", "Arm", "ablate", "ablate_variants", "choose_arms"]
