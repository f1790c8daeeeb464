"""Both learning experiments over several seeds: figures as JSON, a table, and the learning curves as a picture.

    python -m tests.benchmarks.simulations --dataset DIR --out docs/benchmarks [--seeds 0 1 2 3 4]

Every simulation is the product's own `nightshift simulate`; nothing here knows how it learns.
"""

import argparse
import json
import math
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

EXPERIMENTS: dict[str, list[str]] = {
    "corrections": ["--corrections", "50", "--nights", "2"],
    "rule": [
        *("--corrections", "120", "--nights", "3"),
        *("--relabel", "video_streaming=on_task", "--relabel", "music=on_task"),
    ],
}
WORSE_THAN = -0.01
"A promoted challenger may not be worse than the champion by more than this."


def run(dataset: Path, home: Path, experiment: str, seed: int) -> dict[str, Any]:
    """One simulation, kept in the home so that a run that was cut goes on. Raises CalledProcessError where it fails."""
    kept = home / "simulations" / f"{experiment}-{seed}.json"
    if not kept.exists():
        result = _simulate(dataset, home, experiment, seed)
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(result))
    stored: dict[str, Any] = json.loads(kept.read_text())
    return stored


def _simulate(dataset: Path, home: Path, experiment: str, seed: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "app.cli", "simulate", "--dataset", str(dataset), "--seed", str(seed)]
    command += [*EXPERIMENTS[experiment], "--home", str(home), "--json"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def pooled(results: list[dict[str, Any]], suite: str, release: str = "challenger") -> dict[str, Any]:
    """Accuracy before and after over all seeds, and the paired change with its 95% interval (normal, by item)."""
    counted = [r for r in results if r["before"][suite]["n"]]
    n = sum(r["before"][suite]["n"] for r in counted)
    mends = sum(r["changes"][release][suite]["mends"] for r in counted)
    breaks = sum(r["changes"][release][suite]["breaks"] for r in counted)
    if not n:
        return {"n": 0}
    before = sum(r["before"][suite]["n"] * r["before"][suite]["accuracy"] for r in counted) / n
    change = (mends - breaks) / n
    spread = 1.96 * math.sqrt(max(0.0, (mends + breaks) / n - change**2) / n)
    by_seed = [r[release][suite]["accuracy"] - r["before"][suite]["accuracy"] for r in counted]
    return {
        "n": n,
        "before": round(before, 4),
        "after": round(before + change, 4),
        "change": round(change, 4),
        "ci95": [round(change - spread, 4), round(change + spread, 4)],
        "median_by_seed": round(statistics.median(by_seed), 4),
        "by_seed": [round(each, 4) for each in by_seed],
    }


def summary(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Everything that the experiments are held to, for one of them."""
    suites = list(results[0]["before"])
    outcomes = [[night["outcome"] for night in r["nights"]] for r in results]
    harmful = [
        r["after"]["all"]["accuracy"] - r["before"]["all"]["accuracy"] < WORSE_THAN
        for r in results
        if any(night["promoted"] for night in r["nights"])
    ]
    return {
        "seeds": len(results),
        "outcomes": outcomes,
        "promoted_seeds": sum(any(night["promoted"] for night in r["nights"]) for r in results),
        "harmful_promotions": sum(harmful),
        "seconds": [r["seconds"] for r in results],
        "challenger": {suite: pooled(results, suite) for suite in suites},
        "champion_at_the_end": {suite: pooled(results, suite, "after") for suite in suites},
    }


def _curve(result: dict[str, Any], suite: str) -> list[tuple[int, float]]:
    return [(point["feedback"], point[suite]) for point in result["curve"] if point[suite] is not None]


def draw(results: dict[str, list[dict[str, Any]]], path: Path) -> None:
    """Accuracy of each night's challenger by feedback given: a thin line a seed, a thick one for their mean."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    shown = {"corrections": ("unseen", "corrected"), "rule": ("rule", "elsewhere")}
    figure, axes = pyplot.subplots(1, len(results), figsize=(5.2 * len(results), 3.6), squeeze=False)
    for axis, (experiment, runs) in zip(axes[0], results.items(), strict=True):
        for suite, colour in zip(shown[experiment], ("#2563eb", "#d97706"), strict=True):
            curves = [curve for r in runs if (curve := _curve(r, suite))]
            for curve in curves:
                axis.plot(*zip(*curve, strict=True), color=colour, alpha=0.25, linewidth=1)
            mean = [statistics.mean(values) for values in zip(*[[y for _, y in c] for c in curves], strict=True)]
            axis.plot([x for x, _ in curves[0]], mean, color=colour, linewidth=2.4, label=suite, marker="o")
        axis.set(title=experiment, xlabel="pieces of feedback", ylabel="accuracy", ylim=(0, 1.02))
        axis.grid(alpha=0.25)
        axis.legend(loc="lower right", frameon=False)
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--home", type=Path, default=Path(".nightshift"), help="keeps readings and what is done")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--experiments", nargs="+", choices=sorted(EXPERIMENTS), default=list(EXPERIMENTS))
    told = parser.parse_args()
    told.out.mkdir(parents=True, exist_ok=True)
    results: dict[str, list[dict[str, Any]]] = {}
    for experiment in told.experiments:
        for seed in told.seeds:
            result = run(told.dataset, told.home, experiment, seed)
            results.setdefault(experiment, []).append(result)
            outcomes = [night["outcome"] for night in result["nights"]]
            sys.stderr.write(f"{experiment} seed {seed}: {outcomes} {result['seconds']} s\n")
            figures = {name: summary(runs) for name, runs in results.items()}
            (told.out / "simulations.json").write_text(json.dumps(figures, indent=1) + "\n")
    draw(results, told.out / "learning-curves.png")
    sys.stdout.write(json.dumps({name: summary(runs) for name, runs in results.items()}, indent=1) + "\n")


if __name__ == "__main__":
    main()
