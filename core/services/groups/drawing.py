"""Drawn groups as a labelled folder, as large as wanted, to try inspections without a photo of one's own."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.environments.group_qc.drawing import MISSIONS, draw_groups, drawn_group
from core.schema import NightshiftError
from core.services.folders import new_folder
from core.services.importing import Progress

__all__ = ["draw_group_folder"]


def draw_group_folder(
    directory: Path, *, count: int, seed: int = 0, missions: Sequence[str] = (), progress: Progress | None = None
) -> dict[str, Any]:
    """Draws `count` groups into `directory`, half of which fail by one photo; JSON-ready.

    A folder of photos for each, `groups.csv` with what an inspector would say, `truth.jsonl` with each photo's true
    line. Without `missions` all of those that can be drawn take turns. The same seed gives the same groups. Raises
    NightshiftError for a folder that holds something and for a mission that cannot be drawn.
    """
    unknown = [name for name in missions if name not in MISSIONS]
    if unknown:
        raise NightshiftError(f"no groups can be drawn for the mission {unknown[0]!r}; choose {', '.join(MISSIONS)}")
    chosen = missions or sorted(MISSIONS)
    groups = [drawn_group(number, seed=seed, mission=chosen[number % len(chosen)]) for number in range(count)]
    with new_folder(directory) as partial:
        draw_groups(partial, groups, progress)
    return {
        "directory": str(directory),
        "groups": len(groups),
        "photos": sum(len(group.photos) for group in groups),
        "verdicts": dict(Counter(group.verdict for group in groups)),
        "missions": dict(Counter(group.mission for group in groups)),
    }
