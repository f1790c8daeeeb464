"""How a training goes, step by step, while it runs and afterwards."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.console.language import later, say
from core.evaluation.charts import Curve, curve_chart

__all__ = ["learning_curves"]

CURVES = {
    "reward": later("Expected reward"),
    "label_accuracy": later("Right on labels"),
    "loss": later("Loss"),
    "likelihood": later("Likelihood term"),
    "kl": later("Distance from the champion"),
    "entropy": later("Entropy"),
    "zero_variance": later("Groups without variance"),
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
    parts = {name: _part(name) for step in shown for name in step if name.startswith(PART)}
    figures = {name: say(title) for name, title in CURVES.items()}
    curves = [
        Curve(title, [step.get(name) for step in shown])
        for name, title in {**figures, **dict(sorted(parts.items()))}.items()
    ]
    newest = steps[-1]
    place = ""
    if planned:
        at = say(
            "{challenger}: step {step} of {planned}.",
            challenger=_title(newest["challenger"]),
            step=newest["step"],
            planned=planned,
        )
        place = f"{at} "
    heard = sum(int(step.get("words_entered") or 0) for step in shown)
    words = ""
    if heard:
        one, more = later("One word said meanwhile entered."), later("{n} words said meanwhile entered.")
        words = f" {say(one if heard == 1 else more, n=heard)}"
    told = say("The challenger's {n} steps, first to last value.", n=len(shown))
    drawn = curve_chart(curves, title=say("The challenger, step by step"))
    return (
        f'<figure class="ns-chart" id="learning-curves"><div class="ns-drawn" tabindex="0" role="group" '
        f'aria-label="{say("Chart")}">{drawn}</div><figcaption>{place}{told}{_pace(shown[-1])}{words}</figcaption></figure>'
    )


def _part(name: str) -> str:
    return say("Reward: {part}", part=name.removeprefix(PART).replace("_", " "))


def _title(challenger: str) -> str:
    kind, _, fold = challenger.partition("-")
    return say("Evidence, fold {n}", n=int(fold) + 1) if kind == "fold" else say("The challenger")


def _pace(last: Mapping[str, Any]) -> str:
    seconds = last.get("seconds")
    if not seconds:
        return ""
    return " " + say("{ms} ms a step.", ms=f"{1000 * float(seconds) / last['step']:.0f}")
