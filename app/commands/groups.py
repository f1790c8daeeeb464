"""`nightshift group`: photos of a cabinet, inspected."""

from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from app.commands import opened
from app.terminal import Answer, Terminal
from core.schema import NightshiftError
from core.services.groups import (
    Inspector,
    draw_group_folder,
    evaluate_groups,
    group_pairs,
    import_groups,
    inspect_day,
    inspect_group,
    inspect_inbox,
    monitored,
    simulate_groups,
)
from core.services.measuring import PairsOf, labelled_pairs
from flows.client import one_server_for_nights

__all__ = [
    "GROUP_QC",
    "bench",
    "day",
    "draw",
    "evaluate",
    "import_labelled",
    "inbox",
    "inspect",
    "pairs_of",
    "simulate",
    "watch",
]

GROUP_QC = "group_qc"


def inspect(home: Path | None, directory: Path, mission: str, release: str) -> Answer:
    """One group. Raises NightshiftError where stage A gives no proper lines."""
    with closing(Inspector.load(opened(home, GROUP_QC), release)) as inspector:
        found = inspect_group(inspector, directory, mission)
    if found.error is not None:
        raise NightshiftError(found.error)
    told = found.told()
    return Answer(told, partial(_show, told))


def day(terminal: Terminal, home: Path | None, directory: Path, mission: str, release: str, out: Path | None) -> Answer:
    """Every group of a folder; those that are stopped are told, and the rest goes on."""
    inspector = Inspector.load(opened(home, GROUP_QC), release)
    groups, there = inspect_day(inspector, directory, mission, out)
    done = []
    with terminal.progress("inspecting groups") as progress:
        for found in groups:
            done.append(found.told())
            progress(len(done), len(there.groups))
    left_out = [{"file": path.name, "reason": why} for path, why in there.left_out]
    told = {"mission": mission, "groups": done, "left_out": left_out}
    return Answer(told, partial(_show_day, told))


def inbox(terminal: Terminal, home: Path | None) -> Answer:
    """What is new in the inbox, as a night would look at it. Raises NightshiftError where there is none."""
    with terminal.progress("inspecting groups") as progress:
        found = inspect_inbox(opened(home, GROUP_QC), GROUP_QC, progress=progress)
    if found is None:
        raise NightshiftError("there is no inbox; name a folder in `group_qc.inbox` of the settings")
    return Answer(found, lambda console: console.print_json(data=found))


def import_labelled(terminal: Terminal, home: Path | None, directory: Path) -> Answer:
    """A labelled folder of groups, its verdicts as people's feedback."""
    ws = opened(home, GROUP_QC)
    with terminal.progress("inspecting groups") as progress:
        report = import_groups(ws, Inspector.load(ws), directory, progress=progress).model_dump()
    return Answer(report, lambda console: console.print_json(data=report))


def watch(home: Path | None, days: float) -> Answer:
    """How groups do in use, by mission and site."""
    found = monitored(opened(home, GROUP_QC), days)
    return Answer(found, partial(_show_watch, found))


def evaluate(terminal: Terminal, home: Path | None, dataset: Path, release: str) -> Answer:
    """Figures of a release on labelled groups."""
    with terminal.progress("inspecting groups") as progress:
        figures = evaluate_groups(opened(home, GROUP_QC), dataset, release=release, progress=progress)
    return Answer(figures, lambda console: console.print_json(data=figures))


def draw(terminal: Terminal, out: Path, *, count: int, seed: int, missions: Sequence[str]) -> Answer:
    """Groups with planted faults, into a new folder."""
    with terminal.progress("drawing groups") as progress:
        found = draw_group_folder(out, count=count, seed=seed, missions=missions, progress=progress)
    return Answer(found, partial(_show_drawn, found))


def pairs_of(environment: str) -> PairsOf:
    """How a labelled folder of `environment` is read: groups lie in folders of their own."""
    return group_pairs if environment == GROUP_QC else labelled_pairs


def bench(terminal: Terminal, seed: int, keep: Path | None) -> Answer:
    """Both stages on tiny models, from random weights."""
    from core.environments.group_qc.tiny import bench_groups

    with terminal.progress("teaching both stages") as progress:
        found = bench_groups(seed=seed, keep=keep, progress=progress)
    return Answer(found, partial(_show_bench, found))


def simulate(
    terminal: Terminal, overrides: dict[str, Any], *, corrections: int, seed: int, taught: Path | None
) -> Answer:
    """A night after a changed rule, in a home that is thrown away."""
    with one_server_for_nights() as run_night, terminal.progress("teaching, then a night") as progress:
        found = simulate_groups(
            corrections=corrections,
            seed=seed,
            run_night=run_night,
            taught=taught,
            overrides=overrides,
            progress=progress,
        )
    return Answer(found, partial(_show_simulation, found))


def _show_drawn(found: dict[str, Any], console: Console) -> None:
    verdicts = "，".join(f"{verdict} {count}" for verdict, count in found["verdicts"].items())
    console.print(f"{found['groups']} groups of {found['photos']} photos in {found['directory']}", markup=False)
    console.print(f"{verdicts}; {', '.join(f'{name} {count}' for name, count in found['missions'].items())}")


def _show(told: dict[str, Any], console: Console) -> None:
    for key, line in told["summaries"].items():
        console.print(f"{key}：{line}", markup=False)
    if "error" in told:
        console.print(told["error"], markup=False)
        return
    console.print(f"{told['verdict']}（{told['confidence']:.0%}）", markup=False)
    console.print(told["reason"] or "(a person's verdict, without a reason)", markup=False)


def _show_bench(found: dict[str, Any], console: Console) -> None:
    of_a, before, after = found["stage_a"], found["stage_b"]["before"], found["stage_b"]["after"]
    console.print(
        f"stage A states {of_a['stated']:.1%} of the planted facts, and nothing else in {of_a['clean']:.1%} of "
        f"{of_a['photos']} photos; in batches it is {of_a['batched']['times']:.1f} times as fast as one by one"
    )
    table = Table("stage B", "two proper lines", "and the right verdict", "likelier verdict right", "false passes")
    shown = {"warmed up": before, "after GRPO": after, "on true lines": found["stage_b"]["on_true_lines"]}
    for name, of_it in shown.items():
        shares = (f"{of_it[each]:.1%}" for each in ("format", "right", "verdicts", "false_pass"))
        table.add_row(name, *shares)
    console.print(table)
    console.print(f"{found['seconds']:.0f} s")


def _show_simulation(found: dict[str, Any], console: Console) -> None:
    outcome = found["nights"][0]["outcome"]
    console.print(f"{found['feedback']} words, {found['corrections']} corrections; the night: {outcome}")
    table = Table("groups", "n", "before", "challenger", "after")
    for name, before in found["before"].items():
        shares = (f"{found[when][name]['accuracy']:.1%}" for when in ("before", "challenger", "after"))
        table.add_row(name, str(before["n"]), *shares)
    console.print(table)


def _show_watch(found: dict[str, Any], console: Console) -> None:
    table = Table("mission", "site", "groups", "pass", "before", "drift", "false passes", "at most")
    for mission, of_it in found["missions"].items():
        for site, cell in (("", of_it), *of_it["sites"].items()):
            shares = (cell[each] for each in ("pass_rate", "pass_rate_before", "drift_p"))
            bounds = (cell[each] for each in ("false_passes", "false_passes_at_most"))
            said = ("-" if each is None else f"{each:.2f}" for each in (*shares, *bounds))
            table.add_row(mission if not site else "", site, str(cell["groups"]), *said)
    console.print(table)


def _show_day(told: dict[str, Any], console: Console) -> None:
    for each in told["groups"]:
        console.rule(each["group"])
        _show(each, console)
    for each in told["left_out"]:
        console.print(f"left out: {each['file']}: {each['reason']}", markup=False)
