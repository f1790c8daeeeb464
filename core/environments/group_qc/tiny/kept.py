"""Both stages as a run of the benchmark left them in a folder: teaching them again takes most of what comes after."""

import json
from pathlib import Path
from typing import NamedTuple

from core.environments.group_qc.tiny.models import summariser_in, warm_in
from core.policy.vlm.policy import VlmPolicy
from core.schema import NightshiftError

__all__ = ["STAGE_A", "STAGE_B", "Taught", "kept_in", "say_whole"]

STAGE_A, STAGE_B, LEARNT = "a", "b", "learnt"
TOLD = "taught.json"


class Taught(NamedTuple):
    """Stage A, stage B with the verdicts that it learnt, and stage B as it was before."""

    stage_a: VlmPolicy
    stage_b: VlmPolicy
    warm: VlmPolicy


def say_whole(folder: Path, learnt: VlmPolicy, *, seed: int, sizes: dict[str, int | float]) -> None:
    """Keeps the last of them, and last of all says that they are all there."""
    (folder / LEARNT).mkdir()
    learnt.save(folder / LEARNT)
    (folder / TOLD).write_text(json.dumps({"seed": seed, "sizes": sizes}))


def kept_in(folder: Path, *, seed: int, sizes: dict[str, int | float]) -> Taught:
    """Raises NightshiftError for a folder in which they are not whole, or were taught in another way."""
    try:
        told = json.loads((folder / TOLD).read_text())
    except (OSError, ValueError) as error:
        raise NightshiftError(f"{folder} is not what `nightshift bench groups --keep` leaves: {error}") from error
    if told != {"seed": seed, "sizes": sizes}:
        raise NightshiftError(f"what {folder} holds was taught in another way: {told}")
    return Taught(summariser_in(folder / STAGE_A), VlmPolicy.load(folder / LEARNT), warm_in(folder / STAGE_B))
