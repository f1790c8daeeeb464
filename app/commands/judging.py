"""`nightshift judge`: what a judge's word is worth."""

from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from app.commands import ENVIRONMENT
from app.terminal import Answer, Terminal
from core import services
from core.services import JudgeEvaluation, Workspace

__all__ = ["evaluate"]


def evaluate(terminal: Terminal, home: Path | None, dataset: Path, judge: str | None) -> Answer:
    """Agreement of a judge with a labelled folder."""
    ws = Workspace.open(home)
    with terminal.progress("judging screens") as progress:
        found = services.evaluate_judge(ws, ENVIRONMENT, dataset, judge or ws.settings.judge, progress=progress)
    for warning in found.warnings:
        terminal.error.print(f"nightshift: {warning}", soft_wrap=True)
    return Answer(found.figures, partial(_show, found))


def _show(found: JudgeEvaluation, console: Console) -> None:
    figures, hard = found.figures, found.hard
    low, high = figures["kappa_ci95"] or (None, None)
    console.print(
        f"{figures['scored']} of {figures['n']} pairs scored: {_share(figures['accuracy'])} right, "
        f"kappa {_number(figures['kappa'])} (95%: {_number(low)} to {_number(high)}), "
        f"calibration error {_number(figures['ece'])}, position bias {_number(figures['position_bias'])}"
    )
    console.print(f"{hard['scored']} of {hard['n']} hard pairs scored: {_share(hard['accuracy'])} right")
    cost = "cost unknown" if figures["cost_usd"] is None else f"{figures['cost_usd']:.4f} dollars"
    console.print(
        f"{figures['calls']} calls, {figures['cached']} judgments from the store, {cost}, {figures['seconds']:.0f} s"
    )
    for reason, times in found.unscored.most_common(10):
        console.print(f"unscored {times} times: {reason}", markup=False)
    table = Table("category", "n", "scored", "right")
    for name, of_it in figures["by_category"].items():
        table.add_row(name, str(of_it["n"]), str(of_it["scored"]), _share(of_it["accuracy"]))
    console.print(table)


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
