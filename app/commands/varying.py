"""Variants: `variants ablate` and `bench variants`."""

import json
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from app.commands.measures import told_to_throw_away_homes
from app.commands.nights import without_prefect_logs
from app.options import SCREEN
from app.terminal import Answer, Terminal
from core import services
from core.settings import load_settings

__all__ = ["ablate", "bench"]


def ablate(
    terminal: Terminal, home: Path | None, dataset: Path, *, splits: int, kinds: str | None, seed: int
) -> Answer:
    """The ablation under this home's settings and with its cache of readings, in homes that are thrown away."""
    settings = load_settings(home)
    found = services.ablate_variants(
        dataset,
        settings=settings,
        told={**told_to_throw_away_homes(settings), "cache": settings.cache_dir},
        splits=splits,
        kinds=None if kinds is None else [name.strip() for name in kinds.split(",") if name.strip()],
        seed=seed,
        environment=SCREEN,
        watch=terminal.progress,
    )
    return Answer(found, partial(_show_ablation, found))


def bench(terminal: Terminal, home: Path | None, screens: int, processes: int) -> Answer:
    """Drawn screens varied in this process, and by several."""
    without_prefect_logs()
    from core.services.bench.variants import bench_variants
    from flows.pictures import in_processes
    from flows.server import prefect_server

    settings = load_settings(home)
    with terminal.progress("variants") as progress, prefect_server(settings.home):
        found = bench_variants(SCREEN, in_processes, screens=screens, processes=processes, progress=progress)
    return Answer(found, partial(_show_bench, found))


def _show_ablation(found: dict[str, Any], console: Console) -> None:
    console.print(
        f"{found['n']} pairs of {found['applications']} applications, {found['splits']} splits; with all kinds "
        f"{found['accuracy']:.1%} right"
    )
    table = Table("kind", "variants a night", "accuracy with it", "probability of the right answer", "does harm")
    for name, worth in found["kinds"].items():
        accuracy, probability = worth["accuracy"], worth["probability"]
        table.add_row(
            name,
            f"{worth['variants']:.0f}",
            _points(accuracy["accuracy"], accuracy["ci95"]),
            _points(probability["difference"], probability["ci95"]),
            "yes" if worth["does_harm"] else "no",
        )
    console.print(table)
    if found["harmful"]:
        off = json.dumps(found["setting"]["variants.off"])
        console.print(f"to switch off what does harm, in nightshift.toml: variants.off = {off}", markup=False)
    else:
        console.print("no kind was found to do harm; any may be switched off by the setting variants.off")


def _points(difference: float, ci95: list[float] | None) -> str:
    interval = f" ({100 * ci95[0]:+.1f} to {100 * ci95[1]:+.1f})" if ci95 else ""
    return f"{100 * difference:+.1f}{interval}"


def _show_bench(found: dict[str, Any], console: Console) -> None:
    many = found["processes"]
    console.print(
        f"{found['made']} variants of {found['screens']} screens: {found['made_per_s']} made and {found['read_per_s']} "
        f"read again a second in one process; by {many['n']}, {many['made_per_s']} made, and "
        f"{many['pictures_per_s']} pictures made and read, their start included"
    )
    table = Table("kind", "made", "ms to make", "ms to read again", "CPU ms to read again", "dropped")
    for name, kind in found["kinds"].items():
        read = ["-" if kind[each] is None else f"{kind[each]:.0f}" for each in ("read_ms", "read_cpu_ms")]
        table.add_row(name, str(kind["n"]), f"{kind['make_ms']:.1f}", *read, f"{kind['dropped']:.0%}")
    console.print(table)
