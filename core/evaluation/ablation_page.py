"""An ablation for people: one table, and how sure the student was before and after."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["COLUMNS", "confidence_figure", "markdown_table", "table_rows"]

COLUMNS = ("arm", "accuracy", "from full", "balanced", "AUROC", "ECE", "hard pairs", "ms", "training")
HARD, OTHER = "#d97706", "#2563eb"
TITLES = {"zero_shot": "before: untrained", "full": "after: one night"}


def table_rows(found: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """One row an arm, in the order of COLUMNS; intervals are 95%."""
    return [_row(name, arm) for name, arm in found["arms"].items()]


def markdown_table(found: Mapping[str, Any]) -> str:
    """The table, and what was left out, as Markdown."""
    lines = ["| " + " | ".join(row) + " |" for row in (COLUMNS, ("---",) * len(COLUMNS), *table_rows(found))]
    left_out = [f"- left out: `{name}`: {reason}" for name, reason in found["left_out"].items()]
    return "\n".join([*lines, *([""] if left_out else []), *left_out]) + "\n"


def confidence_figure(counts: Mapping[str, Mapping[str, Sequence[int]]], path: Path) -> None:
    """Histograms of the probability given to the right answer, one axis an arm, hard pairs beside the others.

    `counts[arm][difficulty]` are Int[B] over 0..1; each difficulty is drawn as shares of its own pairs.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, len(counts), figsize=(5.2 * len(counts), 3.6), squeeze=False, sharey=True)
    for axis, (arm, by_difficulty) in zip(axes[0], counts.items(), strict=True):
        for place, (difficulty, colour) in enumerate((("other", OTHER), ("hard", HARD))):
            counts_B = by_difficulty[difficulty]
            total = max(1, sum(counts_B))
            width = 1 / len(counts_B)
            middles_B = [(bin_ + 0.28 + 0.44 * place) * width for bin_ in range(len(counts_B))]
            shares_B = [count / total for count in counts_B]
            label = f"{difficulty} pairs ({sum(counts_B)} answers)"
            axis.bar(middles_B, shares_B, width=0.44 * width, color=colour, label=label)
        axis.axvline(0.5, color="#6b7280", linewidth=1, linestyle="--")
        axis.set(title=TITLES.get(arm, arm), xlabel="probability given to the right answer", xlim=(0, 1))
        axis.grid(alpha=0.25)
        axis.legend(loc="upper left", frameon=False)
    axes[0][0].set_ylabel("share of pairs")
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def _row(name: str, arm: Mapping[str, Any]) -> tuple[str, ...]:
    training = arm["training"]
    return (
        name,
        f"{_share(arm['accuracy'])} {_interval(arm['ci95'])}",
        "" if arm["from_full"] is None else _change(arm["from_full"]),
        _share(arm["balanced_accuracy"]),
        _number(arm["auroc"]),
        _number(arm["ece"]),
        f"{_share(arm['hard']['accuracy'])} {_interval(arm['hard']['ci95'])}, n = {arm['hard']['n']}",
        f"{arm['latency_ms']['p50']:.0f}",
        "" if training is None else f"{training['seconds']:.0f} s",
    )


def _change(difference: Mapping[str, Any]) -> str:
    interval = difference["ci95"]
    between = "" if interval is None else f" ({100 * interval[0]:+.1f} to {100 * interval[1]:+.1f})"
    return f"{100 * difference['accuracy']:+.1f}{between}"


def _interval(interval: Sequence[float] | None) -> str:
    return "" if interval is None else f"({100 * interval[0]:.1f} to {100 * interval[1]:.1f})"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
