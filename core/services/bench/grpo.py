"""What a step costs: our trainer and stock TRL on the same tiny student, screens, batch and rewards.

Both are whole trainers, timed from the end of one step to the end of the next: preprocessing of the batch's prompts
and pictures, rollouts, rewards, loss, gradients, optimiser. Neither keeps anything between steps; our side encodes
the batch's features anew each time, though in a training they are encoded once. They run in turns, several short
runs each; the first step of a run is left out, and what counts is the median.
"""

import statistics
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from transformers import TrainerCallback

from core.environments.screen.prompt import PROMPT
from core.learning.answering import ClosedSet
from core.learning.stock import StepTimes, stock_trainer
from core.learning.trainer import policy_trainer
from core.learning.trl_alone import GRPOTrainer
from core.policy import Features
from core.policy.vlm.policy import VlmPolicy
from core.policy.vlm.tiny import SIDE, tiny_vlm
from core.services.bench.parity import parity
from core.services.bench.screens import DrawnScreens
from core.services.importing import Progress
from core.settings import LearningSettings, VlmSettings

__all__ = ["bench_grpo"]

PROMPTS = 8
RUNS = {5: (3, 3), 16: (2, 2)}
"""Group size to runs a side and timed steps a run."""

STEP = LearningSettings(
    objective="dapo",
    groups="sampled",
    batch_size=PROMPTS,
    learning_rate=1e-4,
    likelihood_weight=0.0,
    kl_weight=0.0,
    entropy_weight=0.0,
)
"""TRL's default loss, and its default of no reference model, which on its side would cost one more forward."""


def bench_grpo(*, seed: int = 0, progress: Progress = lambda *_: None) -> dict[str, Any]:
    """Seconds a step by either side at 8 prompts and 5 answers, how many times faster ours is there and at 16
    answers, and how far loss and gradients are apart on the same completions."""
    screens = DrawnScreens(SIDE)
    total, done = 2 * sum(runs for runs, _ in RUNS.values()), 0
    with TemporaryDirectory() as directory:
        scratch = Path(directory)
        student = partial(VlmPolicy.create, PROMPT, VlmSettings(model=str(tiny_vlm("qwen2_5_vl", scratch / "tiny"))))
        same = parity(
            student,
            screens.items[:PROMPTS],
            screens,
            STEP.model_copy(update={"kl_weight": 0.1}),
            seed=seed,
            scratch=scratch,
        )
        seconds: dict[int, tuple[float, float]] = {}
        for group_size, (runs, steps) in RUNS.items():
            settings = STEP.model_copy(update={"group_size": group_size, "steps": steps + 1})
            sides = _Ours(student(), screens, settings, scratch), _Stock(student(), screens, settings, scratch)
            timed: tuple[list[float], list[float]] = ([], [])
            for run in range(runs):
                for side, found in zip(sides, timed, strict=True):
                    found += side.run(seed + run)
                    done += 1
                    progress(done, total)
            seconds[group_size] = statistics.median(timed[0]), statistics.median(timed[1])
    ours_s, trl_s = seconds[STEP.group_size]
    return {
        "ours_s": ours_s,
        "trl_s": trl_s,
        "speedup": trl_s / ours_s,
        "loss_rel_diff": same.loss_rel_diff,
        "grad_rel_diff": same.grad_rel_diff,
        "by_group_size": {str(size): theirs / ours for size, (ours, theirs) in seconds.items()},
    }


class _Side(ABC):
    """One of the two trainers; each run begins a new one, whose making is not timed."""

    def __init__(self, policy: VlmPolicy, screens: DrawnScreens, settings: LearningSettings, scratch: Path) -> None:
        self._policy, self._screens, self._settings, self._scratch = policy, screens, settings, scratch

    @abstractmethod
    def _trainer(self, seed: int, times: TrainerCallback) -> GRPOTrainer: ...

    def run(self, seed: int) -> list[float]:
        """Seconds of each step but the first."""
        times = StepTimes()
        self._trainer(seed, times).train()
        return times.seconds


class _Ours(_Side):
    def _trainer(self, seed: int, times: TrainerCallback) -> GRPOTrainer:
        features = _EncodedAnew(self._policy, self._screens)
        items = self._screens.items
        answering = ClosedSet(self._policy, items, features, self._settings)
        return policy_trainer(
            self._policy,
            items,
            features,
            answering.champion(range(len(items))),
            lambda champion, live: answering.objective(champion, live, seed),
            self._settings,
            seed=seed,
            scratch=self._scratch,
            callbacks=[times],
        )


class _Stock(_Side):
    def _trainer(self, seed: int, times: TrainerCallback) -> GRPOTrainer:
        return stock_trainer(
            self._policy,
            self._screens.items,
            self._screens,
            self._settings,
            seed=seed,
            output_dir=self._scratch,
            callbacks=[times],
        )


class _EncodedAnew(Sequence[Features]):
    """Features that are encoded each time they are asked for."""

    def __init__(self, policy: VlmPolicy, screens: DrawnScreens) -> None:
        self._policy, self._screens = policy, screens

    def __len__(self) -> int:
        return len(self._screens.items)

    def __getitem__(self, row: Any) -> Any:
        if isinstance(row, slice):
            return self._policy.encode([item.example for item in self._screens.items[row]], self._screens)
        return self._policy.encode([self._screens.items[row].example], self._screens)[0]
