"""The nights of one split, each in a throw-away home and up to its training: the stages are the night's own."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.schema import NightshiftError, Run, StageResult
from core.services import night
from core.services.ablation.arms import Arm, Sections
from core.services.ablation.lessons import LateWords, Lessons, take_in
from core.services.classify import Classifier
from core.services.night.record import stage_id
from core.services.workspace import Workspace

__all__ = ["Challengers"]

TRAINING_SECTIONS = ("learning", "reward", "variants")
"""Sections of which an arm may change what the training stage alone reads: such arms share all that comes before it.
Kinds of variant that are off are not trained on, whoever made them."""
LEASE_S = 86_400.0
"""Nobody else can come to a throw-away home, so the lease need not be kept alive."""
SHARED_STAGES = ("ingest", "variants", "judge")


class Challengers:
    """Trains one challenger an arm from the same lessons, each from the untrained champion."""

    def __init__(
        self, root: Path, environment: str, lessons: Mapping[str, Lessons], told: Mapping[str, Any], seed: int
    ) -> None:
        self._root, self._environment, self._seed = root, environment, seed
        self._lessons, self._told = lessons, told
        self._first: dict[str, Run] = {}
        self._late: dict[str, list[tuple[str, str]]] = {}

    def train(self, arm: Arm) -> tuple[Classifier, dict[str, Any]]:
        """The challenger of an arm, calibrated as a night does it, and figures of its training.

        Raises NightshiftError naming the arm where a stage fails.
        """
        home = self._home(arm)
        try:
            first = self._first.get(home.name) or self._begin(home, arm)
        except NightshiftError as error:
            raise NightshiftError(f"arm {arm.name!r}: {error}") from error
        ws = Workspace.open(home, **_over(self._told, arm.settings))
        late = LateWords(ws, self._late[home.name], ws.settings.learning.steps)
        run = night.begin(ws, self._environment, seed=self._seed, trigger="ablation")
        with ws.store.lease(night.lease_name(self._environment), "ablation", LEASE_S) as lease:
            done = [night.stage_result(ws, first.id, name) for name in SHARED_STAGES]
            ws.store.add(*(_as_of(each, run) for each in done if each is not None))
            try:
                trained = night.train_hearing(late.hear)(ws, run, lease)
            except NightshiftError as error:
                raise NightshiftError(f"arm {arm.name!r}: {error}") from error
            finally:
                late.take_back()
        night.abandon(ws, run, "an ablation measures the challenger elsewhere")
        _, variants, judged = [each for each in done if each is not None]
        figures = {
            "seconds": trained.seconds,
            "items": trained.result["items"],
            "words_entered": trained.result["words_entered"],
            "variants": variants.result["variants"],
            "judge_share": judged.result["share"],
        }
        return Classifier.load(ws, self._environment, str(trained.result["challenger"])), figures

    def _home(self, arm: Arm) -> Path:
        """Arms that differ before the training have homes of their own."""
        differs_before = any(section not in TRAINING_SECTIONS for section in arm.settings)
        return self._root / (arm.name if differs_before else arm.lessons)

    def _begin(self, home: Path, arm: Arm) -> Run:
        """What all arms of a home share: the lessons taken in, and a night as far as it goes before the training."""
        before = {section: values for section, values in arm.settings.items() if section not in TRAINING_SECTIONS}
        ws = Workspace.open(home, **_over(self._told, before))
        self._late[home.name] = take_in(ws, self._environment, self._lessons[arm.lessons], home / "lessons", self._seed)
        run = night.begin(ws, self._environment, seed=self._seed, trigger="ablation")
        with ws.store.lease(night.lease_name(self._environment), "ablation", LEASE_S) as lease:
            for stage in (night.ingest, night.make_variants, night.judge):
                stage(ws, run, lease)
        night.abandon(ws, run, "its arms go on from here")
        self._first[home.name] = run
        return run


def _as_of(done: StageResult, run: Run) -> StageResult:
    return done.model_copy(update={"id": stage_id(run.id, done.stage), "run": run.id})


def _over(told: Mapping[str, Any], settings: Sections) -> dict[str, Any]:
    """What a home is told, with these settings over it."""
    return {**told, **{section: {**told.get(section, {}), **values} for section, values in settings.items()}}
