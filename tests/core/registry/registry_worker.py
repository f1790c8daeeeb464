"""One of several processes that put, promote and roll back at once: HOME NAME ROUNDS."""

import random
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

sys.path.insert(0, str(Path(__file__).parents[3]))

from core.registry import Registry
from core.schema import Decision, NightshiftError, Outcome, Release, content_id
from core.store import open_store


def save_weights(folder: Path, number: float) -> Path:
    """A checkpoint folder whose content follows from the number."""
    (folder / "tokenizer").mkdir(parents=True)
    save_file({"weight": np.full((64, 64), number, dtype=np.float32)}, folder / "model.safetensors")
    (folder / "config.json").write_text('{"hidden_size": 64}')
    (folder / "tokenizer" / "vocab.txt").write_text("on\noff\n")
    return folder


def decided(champion: str, challenger: Release, *, run: str, outcome: Outcome = Outcome.PROMOTED) -> Decision:
    return Decision(
        id=content_id("decision", run, champion, challenger.id, outcome.value),
        environment=challenger.environment,
        run=run,
        champion=champion,
        challenger=challenger.id,
        gates=(),
        outcome=outcome,
        reason="better",
    )


def main(home: Path, name: str, rounds: int) -> None:
    registry = Registry(home / "registry", open_store(f"duckdb:///{home / 'nightshift.duckdb'}"))
    chance = random.Random(name)
    for number in range(rounds):
        # Half of the weights are those of another process, so that the same folder is put twice at once.
        weights = float(chance.choice([number, 1000 * int(name) + number]))
        folder = save_weights(home / f"saved by {name}" / str(number), weights)
        checkpoint = registry.put(folder, environment="screen", policy="reader", parent=None, run=name)
        release = registry.release("screen", {"policy": checkpoint.id})
        champion = registry.champion("screen")
        assert champion is not None
        registry.path(champion.checkpoints["policy"])
        with suppress(NightshiftError):  # somebody else was quicker
            if chance.random() < 0.3:
                registry.rollback("screen", reason="trial", by=name)
            elif champion != release:
                decision = decided(champion.id, release, run=f"{name}-{number}")
                registry.promote(release, expected=champion.id, decision=decision, lease=None, token=None)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
