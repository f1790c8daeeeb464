"""From random weights to a stage A that says what is there and a stage B that judges by it."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from core.environments.group_qc.contract import VERDICTS
from core.environments.group_qc.drawing import DrawnGroup, drawn_group
from core.environments.group_qc.rewards import group_rewards
from core.environments.group_qc.tiny.kept import STAGE_A, STAGE_B, say_whole
from core.environments.group_qc.tiny.lessons import DrawnLibrary, group_example
from core.environments.group_qc.tiny.measures import LONGEST, lines_of, stage_a_figures, stage_a_speed, stage_b_figures
from core.environments.group_qc.tiny.models import taught_summariser, warmed_up
from core.learning import Rewarding, TrainingItem, read_steps, train
from core.learning.reward_figures import PREFIX
from core.policy.vlm.policy import VlmPolicy
from core.schema import NightshiftError
from core.settings import LearningSettings

__all__ = ["Sizes", "bench_groups", "learn_verdicts", "read_groups"]

HELD_OUT_SEED = 1
"""Of groups that nobody is taught; their sites and dates are drawn anew."""
CURVE_POINTS = 20
VERDICTS_FOLDER = "verdicts"
LOOK_S = 2.0


class Sizes(NamedTuple):
    """How much of everything; the defaults are those of `nightshift bench groups`."""

    groups: int = 800
    read: int = 1500
    "Groups that stage B is warmed up on; nobody draws their photos."
    held_out: int = 120
    stage_a_steps: int = 2200
    stage_a_batch: int = 16
    reading_steps: int = 600
    warm_up_steps: int = 400
    warm_up_batch: int = 16
    steps: int = 450
    batch_size: int = 16
    group_size: int = 8
    learning_rate: float = 5e-4
    threads: int = 2


FULL = Sizes()


def bench_groups(
    sizes: Sizes = FULL,
    *,
    seed: int = 0,
    keep: Path | None = None,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> dict[str, Any]:
    """Both stages, one after the other: stage B reads what the taught stage A writes.

    Verdicts are learnt by GRPO from two rewards alone, a right label and two proper lines. `keep` is a new or empty
    folder that the stages stay in (`kept_in`). Raises NightshiftError where it is not.
    """
    if keep is not None and keep.exists() and any(keep.iterdir()):
        raise NightshiftError(f"{keep} is not empty; name another folder for the stages")
    began = time.perf_counter()
    taught = sizes.stage_a_steps + sizes.reading_steps + sizes.warm_up_steps
    total = taught + sizes.steps
    known = [drawn_group(number, seed=seed) for number in range(sizes.groups)]
    unseen = [drawn_group(number, seed=seed + HELD_OUT_SEED) for number in range(sizes.held_out)]
    losses: list[float] = []

    def told(step: int, loss: float) -> None:  # noqa: ARG001
        losses.append(round(loss, 4))
        progress(len(losses), total)

    with TemporaryDirectory(prefix="nightshift-groups-") as scratch:
        folder = Path(scratch) if keep is None else keep.resolve()
        stage_a = taught_summariser(
            folder / STAGE_A,
            known,
            steps=sizes.stage_a_steps,
            batch_size=sizes.stage_a_batch,
            learning_rate=1e-3,
            seed=seed,
            told=told,
        )
        of_a = {**stage_a_figures(stage_a, unseen), "batched": stage_a_speed(stage_a, unseen)}
        of_a["seconds"] = round(time.perf_counter() - began, 1)
        of_a["loss"] = _thinned(losses)
        known, known_lines = _written(stage_a, known)
        unseen, unseen_lines = _written(stage_a, unseen)
        warm = warmed_up(
            folder / STAGE_B,
            read_groups(sizes, seed),
            reading_steps=sizes.reading_steps,
            steps=sizes.warm_up_steps,
            batch_size=sizes.warm_up_batch,
            learning_rate=1e-3,
            seed=seed,
            told=told,
        )
        before = stage_b_figures(warm, unseen, unseen_lines)
        progress(taught, total)
        with _followed(folder / VERDICTS_FOLDER, lambda steps: progress(taught + steps, total)):
            learnt, curve = learn_verdicts(folder / VERDICTS_FOLDER, warm, known, known_lines, sizes, seed=seed)
        after = stage_b_figures(learnt, unseen, unseen_lines)
        # What is amiss with true lines is stage B's own.
        on_true_lines = stage_b_figures(learnt, unseen, [group.summaries for group in unseen])
        if keep is not None:
            say_whole(folder, learnt, seed=seed, sizes=sizes._asdict())
    progress(total, total)
    of_b = {"before": before, "after": after, "on_true_lines": on_true_lines, "curve": curve}
    return {
        "stage_a": of_a,
        "stage_b": of_b,
        "seconds": round(time.perf_counter() - began, 1),
        "sizes": sizes._asdict(),
    }


@contextlib.contextmanager
def _followed(folder: Path, tell: Callable[[int], None]) -> Iterator[None]:
    """Tells now and then how many steps the training that writes `folder` has taken."""
    done = threading.Event()

    def look() -> None:
        while not done.wait(LOOK_S):
            tell(len(read_steps(folder)))

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    try:
        yield
    finally:
        done.set()
        looking.join()


def read_groups(sizes: Sizes, seed: int) -> list[DrawnGroup]:
    """Those that stage B learns to read on: of the same seed as the groups it is taught on, and none of these."""
    return [drawn_group(sizes.groups + number, seed=seed) for number in range(sizes.read)]


def learn_verdicts(
    folder: Path,
    policy: VlmPolicy,
    groups: Sequence[DrawnGroup],
    lines: Sequence[Sequence[str]],
    sizes: Sizes,
    *,
    seed: int,
) -> tuple[VlmPolicy, list[dict[str, Any]]]:
    """Stage B after GRPO from label and format alone, and how these rose; `policy` is left as it came."""
    items = [
        TrainingItem(
            example=group_example(group, of_it),
            rewards=(None,) * len(VERDICTS),
            label=VERDICTS.index(group.verdict),
            origin="correction",
        )
        for group, of_it in zip(groups, lines, strict=True)
    ]
    settings = LearningSettings(
        objective="dapo",
        groups="sampled",
        steps=sizes.steps,
        batch_size=sizes.batch_size,
        group_size=sizes.group_size,
        learning_rate=sizes.learning_rate,
        likelihood_weight=0.0,
        kl_weight=0.0,
        entropy_weight=0.0,
        max_new_tokens=LONGEST,
        sync_steps=1,
        collapse_steps=sizes.steps + 1,  # that all groups agree in the end is what is wanted here
        threads=sizes.threads,
    )
    rewards = group_rewards(label=1.0, format=0.2, evidence=0.0, consistent=0.0, reason=0.0)
    features = policy.encode([item.example for item in items], DrawnLibrary(()))
    result = train(items, features, policy, settings, seed=seed, out=folder, rewarding=Rewarding(rewards))
    return VlmPolicy.load(result.weights), _curve(read_steps(folder))


def _written(stage_a: VlmPolicy, groups: Sequence[DrawnGroup]) -> tuple[list[DrawnGroup], list[tuple[str, ...]]]:
    """The groups that stage A wrote proper lines for, with these."""
    lines = lines_of(stage_a, groups)
    kept = [group for group in groups if group.name in lines]
    if not kept:
        raise NightshiftError(f"stage A wrote proper lines for none of {len(groups)} groups; teach it more steps")
    return kept, [lines[group.name] for group in kept]


def _curve(steps: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Means over equal stretches of a training: the rewards, and the share of groups without variance."""
    stretch = max(1, len(steps) // CURVE_POINTS)
    points = []
    for start in range(0, len(steps), stretch):
        part = steps[start : start + stretch]
        means = {
            name: round(sum(each[name] for each in part) / len(part), 3)
            for name in part[0]
            if (name in ("reward", "zero_variance", "tokens") or name.startswith(PREFIX))
            and all(isinstance(each.get(name), float | int) for each in part)
        }
        points.append({"step": start + len(part), **means})
    return points


def _thinned(values: Sequence[float]) -> list[float]:
    """About as many of the values as a curve has points."""
    return list(values[:: max(1, len(values) // CURVE_POINTS)])
