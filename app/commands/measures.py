"""Measurements that keep nothing: `evaluate` and `simulate`."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from app.commands import groups, opened
from app.commands.nights import watched, without_prefect_logs
from app.terminal import Answer, Terminal
from core import services
from core.environments import environment as registered
from core.schema import NightshiftError
from core.services import Workspace
from core.settings import Settings, load_settings
from flows.client import one_server_for_nights

__all__ = ["evaluate", "simulate", "told_to_throw_away_homes"]

PROMPT = "prompt"
OF_A_HOME = {"home", "profile", "store", "blobs", "cache"}
"""Settings that say where things are; a throw-away home has its own."""


def evaluate(
    terminal: Terminal,
    home: Path | None,
    environment: str,
    dataset: Path,
    release: str,
    policy: str | None,
    baseline: str | None,
) -> Answer:
    """Figures of a release, or of the prompted baseline, on a labelled folder; or of the one beside the other."""
    if environment == groups.GROUP_QC:
        if policy or baseline:
            raise NightshiftError("--policy and --baseline are of screens; groups are measured by release")
        return groups.evaluate(terminal, home, dataset, release)
    if policy not in (None, PROMPT):
        raise NightshiftError(f"no policy {policy!r} to measure; there is {PROMPT!r}, or name a --release")
    if baseline not in (None, PROMPT):
        raise NightshiftError(f"no baseline {baseline!r} to measure beside; there is {PROMPT!r}")
    if policy and baseline:
        raise NightshiftError("--policy prompt is the baseline itself; --baseline prompt measures a release beside it")
    ws = opened(home, environment)
    with terminal.progress("reading screens") as progress:
        figures = services.evaluate_folder(
            ws,
            environment,
            dataset,
            release=release,
            prompted=policy == PROMPT,
            beside_prompted=baseline == PROMPT,
            progress=progress,
        )
    return Answer(figures, partial(_show_figures, figures))


NIGHTS = 2
"Over which the feedback of a simulation is spread where nobody says."


def simulate(
    terminal: Terminal,
    home: Path | None,
    environment: str,
    dataset: Path | None,
    *,
    corrections: int,
    nights: int | None,
    seed: int,
    relabel: Mapping[str, str],
    taught: Path | None,
) -> Answer:
    """The experiment, under this home's settings and with its cache of readings, in a home that is thrown away."""
    settings, environment = load_settings(home), registered(environment).name
    without_prefect_logs()
    if environment == groups.GROUP_QC:
        if dataset is not None or relabel:
            raise NightshiftError("groups are drawn, and their rule is changed; leave out --dataset and --relabel")
        if nights not in (None, 1):
            raise NightshiftError("the experiment with groups is one night; leave out --nights")
        return groups.simulate(
            terminal, told_to_throw_away_homes(settings), corrections=corrections, seed=seed, taught=taught
        )
    if taught is not None:
        raise NightshiftError("--taught is for groups alone; screens need no model that was taught before")
    if dataset is None:
        raise NightshiftError("--dataset is missing: a folder with images/ and tasks.csv")
    with one_server_for_nights() as run_night:

        def run_watched(ws: Workspace, environment: str, night_seed: int) -> dict[str, Any]:
            with terminal.progress("a night") as progress, watched(ws, progress, terminal, environment):
                return run_night(ws, environment, night_seed)

        with terminal.progress("reading screens") as progress:
            found = services.simulate(
                dataset,
                cache=settings.cache_dir,
                corrections=corrections,
                nights=nights or NIGHTS,
                seed=seed,
                relabel=relabel,
                run_night=run_watched,
                environment=environment,
                progress=progress,
                overrides=told_to_throw_away_homes(settings),
            )
    return Answer(found, partial(_show_simulation, found))


def told_to_throw_away_homes(settings: Settings) -> dict[str, Any]:
    """What a home that is thrown away is told of the settings of a lasting one."""
    return {**settings.model_dump(exclude=OF_A_HOME), "store": "", "blobs": ""}


def _show_figures(figures: dict[str, Any], console: Console) -> None:
    low, high = figures["ci95"] or (None, None)
    console.print(f"{figures['n']} pairs: {_share(figures['accuracy'])} right (95%: {_share(low)} to {_share(high)})")
    if (baseline := figures.get("baseline")) is not None:
        console.print(_beside(figures, baseline))
    console.print(
        f"balanced {_share(figures['balanced_accuracy'])}, AUROC {_number(figures['auroc'])}, "
        f"calibration error {_number(figures['ece'])}, hard pairs {_share(figures['hard']['accuracy'])} "
        f"of {figures['hard']['n']}"
    )
    for line in figures["abstaining"]:
        console.print(
            f"at {line['least_confidence']:.0%} confidence and more: {line['answered']:.1%} of the pairs, "
            f"{_share(line['accuracy'])} right"
        )
    console.print(f"{figures['latency_ms']['p50']:.0f} ms a screen, 95% within {figures['latency_ms']['p95']:.0f} ms")
    table = Table("category", "n", "right")
    for name, of_it in figures["by_category"].items():
        table.add_row(name, str(of_it["n"]), _share(of_it["accuracy"]))
    console.print(table)


def _beside(figures: dict[str, Any], baseline: dict[str, Any]) -> Table:
    """A release and the baseline side by side, and how far apart they are on the same pairs."""
    table = Table("", "right", "balanced", "AUROC", "calibration error", "hard pairs", "ms")
    for name, of_it in (("release", figures), (baseline["policy"], baseline)):
        ranks = (_number(of_it["auroc"]), _number(of_it["ece"]), _share(of_it["hard"]["accuracy"]))
        ms = f"{of_it['latency_ms']['p50']:.0f}"
        table.add_row(name, _share(of_it["accuracy"]), _share(of_it["balanced_accuracy"]), *ranks, ms)
    low, high = baseline["difference"]["ci95"] or (None, None)
    table.caption = f"{baseline['difference']['accuracy']:+.1%} (95%: {_share(low)} to {_share(high)}) for the release"
    return table


def _show_simulation(found: dict[str, Any], console: Console) -> None:
    outcomes = ", ".join(night["outcome"] for night in found["nights"])
    console.print(f"{found['feedback']} pieces of feedback; nights: {outcomes}; {found['seconds']:.0f} s")
    table = Table("suite", "n", "before", "challenger", "after")
    for suite, before in found["before"].items():
        row = [_share(found[release][suite]["accuracy"]) for release in ("before", "challenger", "after")]
        table.add_row(suite, str(before["n"]), *row)
    console.print(table)


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
