"""Stops a training that goes wrong, before it has made a challenger.

A loss that is no number stops it at once. A collapse (the policy says the same whatever it is shown) is looked for
over a run of steps, since one odd batch is no collapse: answers without entropy, one answer that takes nearly all
the probability where people's labels do not, or sampled groups in which nothing varies and so nothing is learnt.
"""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from core.schema import NightshiftError

if TYPE_CHECKING:
    from core.settings import LearningSettings

__all__ = ["Watch"]


class Watch:
    """Looks at each step's figures, in order."""

    def __init__(self, settings: "LearningSettings") -> None:
        self._settings = settings
        self.steps_in_collapse: dict[str, int] = {}
        "For each sign of collapse, for how many steps in a row it has been there."

    def compare(self, step: int, mismatch: float, says: str) -> None:
        """Raises NightshiftError where two computations of the same log-probabilities, which `says` names, differ.

        Over a closed set they are the champion's scores (in evaluation mode, without gradients and in other company, as
        it serves) and the first step's forward; groups are drawn from that forward itself, so that the two cannot
        drift apart later. In free text they are the rollout engine's and the trainer's, in every step. A difference
        (dropout left on, padding that is seen, half precision, weights that did not reach the engine) would be learnt
        as if it were the policy's own. `step` counts from 1.
        """
        # One that is no number is the loss's matter.
        if mismatch > self._settings.mismatch_alarm:
            raise NightshiftError(
                f"training stopped before step {step} was taken: {says} by {mismatch:.3g} nats "
                f"(learning.mismatch_alarm {self._settings.mismatch_alarm:g}); nothing was saved and the champion stays"
            )

    def look(self, step: int, figures: Mapping[str, float]) -> None:
        """Raises NightshiftError where the training must not go on; `step` counts from 1."""
        if not math.isfinite(figures["loss"]):
            raise NightshiftError(_not_a_number(step, figures))
        for sign, there in self._signs(figures).items():
            self.steps_in_collapse[sign] = self.steps_in_collapse.get(sign, 0) + 1 if there else 0
            if self.steps_in_collapse[sign] >= self._settings.collapse_steps:
                raise NightshiftError(
                    f"training stopped at step {step}: the policy has collapsed ({sign} for "
                    f"{self._settings.collapse_steps} steps; entropy {figures['entropy']:.2g} nats"
                    f"{_one_answer(figures)}); nothing was saved and the champion stays. Look at the rewards; "
                    "a larger learning.entropy_weight or learning.kl_weight holds the policy together."
                )

    def _signs(self, figures: Mapping[str, float]) -> dict[str, bool]:
        settings = self._settings
        # Where people gave one answer nearly always, a policy that does so too has learnt, not collapsed.
        labelled_alike = figures.get("label_share", math.nan) > settings.collapse_share - LEEWAY
        return {
            "hardly any entropy": figures["entropy"] < settings.collapse_entropy,
            "one answer to everything": figures.get("answer_share", math.nan) > settings.collapse_share
            and not labelled_alike,
            "groups without variance": settings.groups == "sampled"
            and figures["zero_variance"] > settings.collapse_zero_variance,
        }


LEEWAY = 0.05
"""Labels count as all alike a little before the policy does: a batch is a small sample of them."""


def _one_answer(figures: Mapping[str, float]) -> str:
    return f", one answer {figures['answer_share']:.1%}" if "answer_share" in figures else ""


def _not_a_number(step: int, figures: Mapping[str, float]) -> str:
    shown = ", ".join(f"{name} {value:.4g}" for name, value in figures.items() if not math.isfinite(value))
    return (
        f"training stopped at step {step}: the loss is no longer a number ({shown}); nothing was saved and the "
        "champion stays. A smaller learning.learning_rate usually helps."
    )
