"""`nightshift judge`: what a judge's word is worth."""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from app.commands import opened
from app.commands.groups import pairs_of
from app.terminal import Answer, Terminal
from core import services
from core.schema import JudgeAudit
from core.services import JudgeEvaluation
from core.settings import load_settings

__all__ = ["audit", "evaluate", "simulate"]


def evaluate(terminal: Terminal, home: Path | None, environment: str, dataset: Path, judge: str | None) -> Answer:
    """Agreement of a judge with a labelled folder."""
    ws = opened(home, environment)
    with terminal.progress("judging") as progress:
        found = services.evaluate_judge(
            ws, environment, dataset, judge or ws.settings.judge, pairs_of=pairs_of(environment), progress=progress
        )
    for warning in found.warnings:
        terminal.error.print(f"nightshift: {warning}", soft_wrap=True)
    return Answer(found.figures, partial(_show, found))


def audit(terminal: Terminal, home: Path | None, environment: str, judge: str | None) -> Answer:
    """A judge, or each member of a panel and the panel, held against people's feedback."""
    ws = opened(home, environment)
    with terminal.progress("judging what people answered") as progress:
        audits = services.audit_judges(ws, environment, judge=judge, told=progress)
    data = {"environment": environment, "audits": [services.audit_figures(each) for each in audits]}
    return Answer(data, partial(_show_audits, audits))


def simulate(terminal: Terminal, home: Path | None, seeds: int, out: Path | None) -> Answer:
    """Learning from judges that are often wrong, in throw-away homes; this home lends its cache of readings."""
    from core.services.judge_simulation import simulate_judges

    with terminal.progress("judges learnt from") as progress:
        found = simulate_judges(cache=load_settings(home).cache_dir, seeds=seeds, progress=progress)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "judge-simulation.json").write_text(json.dumps(found, indent=1) + "\n")
        _draw(found, out / "judge-simulation.png")
    return Answer(found, partial(_show_simulation, found))


def _show_simulation(found: dict[str, Any], console: Console) -> None:
    alone = found["labels_alone"]["accuracy"]
    console.print(f"untrained {_share(found['champion']['accuracy'])} right, labels alone {_share(alone)}")
    table = Table("judge wrong", "share it earns", "right with it", "right with its whole weight")
    for each in found["by_error"]:
        earned, fixed = each["earned"], each["fixed"]
        table.add_row(
            f"{each['error']:.0%}", f"{earned['share']:.0%}", _share(earned["accuracy"]), _share(fixed["accuracy"])
        )
    console.print(table)


def _draw(found: dict[str, Any], path: Path) -> None:
    """Accuracy by the judge's error: a thin line a seed, a thick one for their mean."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axis = pyplot.subplots(figsize=(6.4, 3.8))
    errors = [each["error"] for each in found["by_error"]]
    for name, label, colour in (("earned", "weight earned", "#2563eb"), ("fixed", "whole weight", "#d97706")):
        for seed in range(found["seeds"]):
            axis.plot(errors, [each[name]["by_seed"][seed] for each in found["by_error"]], color=colour, alpha=0.2)
        mean = [each[name]["accuracy"] for each in found["by_error"]]
        axis.plot(errors, mean, color=colour, linewidth=2.4, marker="o", label=label)
    for name, label, style in (("labels_alone", "labels alone", "--"), ("champion", "untrained", ":")):
        axis.axhline(found[name]["accuracy"], color="#6b7280", linestyle=style, label=label)
    axis.set(xlabel="share of cases in which the judge is wrong", ylabel="right on unseen screens")
    axis.grid(alpha=0.25)
    axis.legend(frameon=False, fontsize=9)
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def _show_audits(audits: Sequence[JudgeAudit], console: Console) -> None:
    table = Table(
        "judge", "n", "scored", "right", "kappa (95%)", "calibration error", "alone right", "share", "dollars"
    )
    for each in audits:
        of_it, (low, high) = each.overall, each.overall.kappa_ci95 or (None, None)
        table.add_row(
            each.judge,
            str(of_it.n),
            str(of_it.scored),
            _share(of_it.accuracy),
            f"{_number(of_it.kappa)} ({_number(low)} to {_number(high)})",
            _number(each.ece),
            f"{each.wins} : {each.losses}",
            f"{each.share:.0%}",
            "unknown" if each.cost_usd is None else f"{each.cost_usd:.4f}",
        )
    table.caption = "alone right: the judge where the champion is wrong, and the other way round"
    console.print(table)
    for each in audits:
        if each.left_out:
            console.print(
                f"{each.judge}: {each.left_out} labels left out, which were there when its words or settings changed"
            )


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
