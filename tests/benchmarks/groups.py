"""Draws what `nightshift bench groups --json` measured.

    nightshift bench groups --json > docs/benchmarks/groups.json
    python -m tests.benchmarks.groups docs/benchmarks/groups.json

The picture stands beside the figures, with their name: the loss of stage A, and how stage B comes to proper lines and
right verdicts, with the share of groups whose answers all earned the same.
"""

import json
import sys
from pathlib import Path
from typing import Any

SHOWN = {
    "reward/format": "two proper lines",
    "reward/label": "and the right verdict",
    "zero_variance": "groups without variance",
}


def draw(found: dict[str, Any], path: Path) -> None:
    """Both curves of a run, side by side, as a picture at `path`."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    loss, curve = found["stage_a"]["loss"], found["stage_b"]["curve"]
    stretch = found["sizes"]["stage_a_steps"] / len(loss)
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    left.plot([place * stretch + 1 for place in range(len(loss))], loss)
    left.set(title="Stage A is taught its lines", xlabel="step", ylabel="loss, nats a token", yscale="log")
    for name, title in SHOWN.items():
        right.plot([point["step"] for point in curve], [point[name] for point in curve], label=title)
    right.set(title="Stage B by GRPO", xlabel="step, mean since the point before", ylabel="share", ylim=(0, 1.02))
    right.legend(loc="lower right", fontsize="small")
    for axes in (left, right):
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=130)


if __name__ == "__main__":
    measured = Path(sys.argv[1])
    draw(json.loads(measured.read_text()), measured.with_suffix(".png"))
