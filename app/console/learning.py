"""How a training goes, step by step, while it runs and afterwards."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.evaluation.charts import Curve, curve_chart

__all__ = ["learning_curves"]

CURVES = {
    "reward": "Expected reward",
    "label_accuracy": "Right on labels",
    "loss": "Loss",
    "likelihood": "Likelihood term",
    "kl": "Distance from the champion",
    "entropy": "Entropy",
    "zero_variance": "Groups without variance",
}
"""Figures of a step, in the order shown; those of each part of the reward come after them."""
PART = "reward/"


def learning_curves(steps: Sequence[Mapping[str, Any]], planned: int | None = None) -> str:
    """What the challenger's steps say, and what a step takes; empty before the first.

    `steps` are those of a training in order. While it is at work, `planned` are the steps of one challenger, and how
    far it is stands beneath.
    """
    if not steps:
        return ""
    shown = [step for step in steps if step["challenger"] == steps[0]["challenger"]]
    parts = {name: f"Reward: {name.removeprefix(PART)}" for step in shown for name in step if name.startswith(PART)}
    curves = [
        Curve(title, [step.get(name) for step in shown])
        for name, title in {**CURVES, **dict(sorted(parts.items()))}.items()
    ]
    newest = steps[-1]
    place = f"{_title(newest['challenger'])}: step {newest['step']} of {planned}. " if planned else ""
    heard = sum(int(step.get("words_entered") or 0) for step in shown)
    words = f" {heard} {'word' if heard == 1 else 'words'} said meanwhile entered." if heard else ""
    return (
        f'<figure class="ns-chart" id="learning-curves">{curve_chart(curves, title="The challenger, step by step")}'
        f"<figcaption>{place}The challenger's {len(shown)} steps, first to last value{_pace(shown[-1])}.{words}"
        "</figcaption></figure>"
    )


def _title(challenger: str) -> str:
    kind, _, fold = challenger.partition("-")
    return f"Evidence, fold {int(fold) + 1}" if kind == "fold" else "The challenger"


def _pace(last: Mapping[str, Any]) -> str:
    seconds = last.get("seconds")
    return f"; {1000 * float(seconds) / last['step']:.0f} ms a step" if seconds else ""
