"""Training on a bootstrapped set: easy examples first, harder ones beside them as the steps go on.

The curriculum is that of the set's levels. Level 1 is there from the start; the others enter between rounds, evenly
over the steps, in the way that words of people do (`core/learning/refreshes.py`). A training that is too short for a
round begins with all of them.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from core.learning import Refresh, Refreshes, TrainingItem
from core.policy import Policy
from core.schema import (
    CANNOT_TELL,
    JUDGED,
    SET_ASIDE,
    DatasetVersion,
    Example,
    Judgment,
    NightshiftError,
    Run,
    StageResult,
)
from core.services.bootstrap.record import stage_of
from core.services.classify import load_policy
from core.services.importing import Progress
from core.services.night.ingest import is_golden
from core.services.night.record import BOOTSTRAP, stage_id
from core.services.training import (
    Method,
    keep_figures,
    learning_settings,
    registered,
    run_under,
    training_figures,
    training_job,
    training_run,
)
from core.services.versions import bootstrapped_version
from core.services.workspace import Workspace
from core.settings import LearningSettings
from core.store import Lease

__all__ = ["train_on_bootstrapped"]

REFRESHES = "training.refreshes"


def train_on_bootstrapped(
    ws: Workspace,
    environment: str,
    method: Method,
    version: str,
    lease: Lease,
    *,
    release: str = "champion",
    steps: int | None = None,
    learning_rate: float | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Trains `release` on a judge's labels and registers what comes out as a challenger; JSON-ready figures.

    `sft` learns what the judge holds likelier, weighted by how sure it is; `grpo` is rewarded as the judge scores.
    What people have spoken about since is left out, and golden clusters always are. Raises NightshiftError for a
    version that no bootstrap made, and where the training fails.
    """
    began = time.perf_counter()
    settings = learning_settings(ws.settings.learning, method, steps=steps, learning_rate=learning_rate)
    start = ws.registry.named(environment, release)
    record = bootstrapped_version(ws, environment, version)
    levels, golden = _levels(ws, record, method)
    ws.store.check_token(lease.name, lease.token)
    run = training_run(environment, method, start, settings, seed)
    result: dict[str, JsonValue] = {"dataset_version": record.id, "train": sum(map(len, levels)), "golden": 0}
    # What is trained on is recorded before it is: later nights must know what their champion has seen.
    ws.store.add(
        run, StageResult(id=stage_id(run.id, "ingest"), run=run.id, stage="ingest", result=result, seconds=0.0)
    )
    policy, folder = load_policy(ws, start)
    curriculum = _Curriculum(ws, policy, levels, settings, ws.run_dir(run.id) / REFRESHES)
    items = curriculum.enter[0]
    job = training_job(ws, run, policy, folder, items, settings, refreshes=curriculum.directory)
    trained = run_under(ws, lease, job, progress=progress, answer=curriculum.answer)
    challenger = registered(ws, run, policy, start, trained)
    figures = training_figures(method, start, challenger, trained)
    figures |= {
        "dataset_version": record.id,
        "items": sum(map(len, levels)),
        "levels": {str(step): len(of) for step, of in curriculum.enter.items()},
        "golden_left_out": golden,
    }
    return keep_figures(ws, run, figures, began)


class _Curriculum:
    """Which items are there from which step on."""

    def __init__(
        self,
        ws: Workspace,
        policy: Policy,
        levels: Sequence[Sequence[TrainingItem]],
        settings: LearningSettings,
        directory: Path,
    ) -> None:
        self.enter: dict[int, list[TrainingItem]] = {}
        for level, items in enumerate(levels):
            rounds = level * settings.steps // len(levels) // settings.refresh_steps
            self.enter.setdefault(rounds * settings.refresh_steps, []).extend(items)
        self._ws, self._policy, self.directory = ws, policy, directory
        self._refreshes = Refreshes(directory)

    def answer(self, step: int) -> None:
        """What enters after so many steps."""
        items = self.enter.get(step, [])
        if not items:
            self._refreshes.publish(Refresh(step=step))
            return
        features = self._policy.encode([item.example for item in items], self._ws.library)
        self._refreshes.publish(self._refreshes.prepare(step, items, features, dataset_version=""))


def _levels(ws: Workspace, record: DatasetVersion, method: Method) -> tuple[list[list[TrainingItem]], int]:
    """What can be trained on, easy before hard, and how many examples are golden and therefore left out."""
    roles = sorted(role for role in record.items if role.startswith(JUDGED) and role != SET_ASIDE)
    if not roles:
        raise NightshiftError(
            f"version {record.id[:12]} holds people's labels, which nights learn from; `nightshift bootstrap` makes "
            "versions that can be trained on here"
        )
    ids = [example for example, (role, _) in record.labels.items() if role in roles]
    examples = {each.id: each for each in ws.store.find(Example, id=set(ids))}
    spoken = {label.example for label in ws.store.labels(record.environment)}
    share = ws.settings.gate.golden_share
    golden = {each.id for each in examples.values() if is_golden(each.cluster, share)}
    judgments = _judgments(ws, record, set(examples))
    levels = []
    for role in roles:
        entries = [entry.partition("=") for entry in record.items[role]]
        levels.append(
            [
                _item(examples[id], answer, judgments.get(id), method)
                for id, _, answer in entries
                if id in examples and id not in spoken and id not in golden and answer != CANNOT_TELL
            ]
        )
    if not any(levels):
        raise NightshiftError(f"nothing of version {record.id[:12]} is left to train on; bootstrap again")
    return [items for items in levels if items], len(golden)


def _judgments(ws: Workspace, record: DatasetVersion, examples: set[str]) -> dict[str, Judgment]:
    """What the judge of the bootstrap that made the version said, by example."""
    for run in ws.store.find(Run, environment=record.environment, newest_first=True):
        done = ws.store.get(StageResult, stage_id(run.id, "select")) if run.trigger == BOOTSTRAP else None
        if done is not None and done.result["dataset_version"] == record.id:
            judged = stage_of(ws, run, "judge")
            found = ws.store.find(
                Judgment, example=examples, judge=judged["judge"], prompt_version=judged["prompt_version"]
            )
            return {each.example: each for each in found if each.unscored is None}
    return {}


def _item(example: Example, answer: str, judgment: Judgment | None, method: Method) -> TrainingItem:
    answers = example.answers or ()
    scores = tuple(judgment.score_of(each) if judgment is not None else float(each == answer) for each in answers)
    if method == "grpo":
        return TrainingItem(example=example, rewards=scores, origin="judged")
    known = sum(score for score in scores if score is not None)
    sure = (scores[answers.index(answer)] or 0.0) / known if known else 1.0
    return TrainingItem(
        example=example,
        rewards=(None,) * len(answers),
        label=answers.index(answer),
        label_weight=sure,
        origin="judged",
    )
