"""One training: the challenger, and for cross-fitted evidence one more challenger per fold.

Everything is written beside its destination and renamed at the end, so that a training that was killed at any
instant leaves nothing that looks finished. Started again, it goes on from its checkpoints and gives the same weights.
"""

import json
import shutil
import tempfile
import time
from collections.abc import Collection, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from core.learning.answering import Answering, ClosedSet, FreeText
from core.learning.checkpoints import Checkpoints, checkpoints_directory
from core.learning.items import TrainingItem
from core.learning.live_items import Change, Entering, LiveItems
from core.learning.objectives import Objective
from core.learning.processes import is_main_process, is_sharded, process_count
from core.learning.refreshes import Refresh, Refreshes
from core.learning.rewarding import Rewarding
from core.learning.steps import STEPS_FILE, partial_directory
from core.learning.training_state import changing_weights, restore_weights
from core.policy import Features, Policy
from core.schema import Example, NightshiftError, content_id
from core.settings import LearningSettings

__all__ = ["HeldOut", "TrainingResult", "items_without", "train"]

WEIGHTS, CROSSFIT, RESULT = "full", "crossfit.json", "result.json"
LIBRARIES = ("torch", "transformers", "trl", "accelerate", "peft")


class HeldOut(BaseModel):
    """An example that is evidence: it is judged by the challenger whose training left its cluster out."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    example: str
    cluster: str
    fold: int


class TrainingResult(BaseModel):
    """What a finished training says of itself, as kept in its `result.json`."""

    model_config = ConfigDict(frozen=True)
    directory: Path
    job: str = ""
    "Fingerprint of the job it came from; empty for a training in process."
    items: int
    challengers: int
    "How many were trained: the one in `weights` and one per fold that left something to train on."
    steps: int
    "Optimiser steps of all of them together."
    seconds: float
    "Of the process that finished it; where an earlier one was killed, its seconds are not among them."
    ms_per_step: float
    start: dict[str, float | None]
    "By the champion: parts of the loss over all items with exact groups; in free text, means over sampled groups."
    end: dict[str, float | None]
    "The same, by the challenger."
    versions: dict[str, str]
    refreshes: dict[int, str] = {}
    "What changed between rounds: the steps done by then, and the id of the manifest."
    trainable: tuple[str, ...]
    "Names of the weights that were trained; every other weight is as it came."

    @property
    def weights(self) -> Path:
        """Folder of the challenger as its policy saved it."""
        return self.directory / WEIGHTS

    @property
    def crossfit(self) -> dict[str, tuple[float, ...]]:
        """Example id to the log-probabilities of its answers by the challenger that did not see its cluster."""
        return {example: tuple(logprobs) for example, logprobs in self._read_crossfit().items()}

    @property
    def crossfit_texts(self) -> dict[str, str]:
        """In free text: example id to what the challenger that did not see its cluster writes, greedily."""
        return dict(self._read_crossfit())

    def _read_crossfit(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads((self.directory / CROSSFIT).read_text())
        return read

    @classmethod
    def read(cls, directory: Path) -> "TrainingResult | None":
        """The result in `directory`, or None where no training has finished there."""
        try:
            stored = json.loads((directory / RESULT).read_text())
            return cls.model_validate({**stored, "directory": directory})
        except (OSError, ValueError, ValidationError):
            return None


def train(
    items: Sequence[TrainingItem],
    features: Sequence[Features],
    policy: Policy,
    settings: LearningSettings,
    *,
    seed: int,
    out: Path,
    held_out: Sequence[HeldOut] = (),
    held_out_features: Sequence[Features] = (),
    rewarding: Rewarding | None = None,
    job: str = "",
    refreshes: Refreshes | None = None,
) -> TrainingResult:
    """Trains a challenger from `policy` (the champion, left as it came) and writes it to the folder `out`.

    `features[i]` are the encoded features of `items[i]`; those of `held_out` likewise. A folder that is already
    there is replaced. `rewarding` says what free text is worth, where the policy writes it. `job` is a hash of all
    these arguments: with it the training leaves checkpoints, and goes on from those that a killed one of the same job
    left. `refreshes` are asked between rounds what enters; the challengers that
    make the evidence take in the same at the same steps, but for what is of a cluster they must not know. Where several
    processes train, nothing enters. Raises NightshiftError for items that do not fit the policy and where
    the loss or the weights stop being numbers; `out` is then left as it was.
    """
    _check(items, features, policy)
    if policy.answers is None:
        _check_free_text(policy, settings, rewarding)
    if len(held_out) != len(held_out_features):
        raise NightshiftError(f"{len(held_out_features)} encoded features for {len(held_out)} held-out examples")
    # In the order of their content, so that the order of rows in a database cannot change the weights.
    order = sorted(range(len(items)), key=lambda i: (items[i].example.id, items[i].origin))
    items, features = [items[i] for i in order], [features[i] for i in order]
    partial, checkpoints = partial_directory(out), checkpoints_directory(out)
    asked = refreshes if process_count() == 1 else None

    def begun(directory: Path) -> _Challengers:
        return _Challengers(policy, items, features, settings, seed, directory, checkpoints, job, asked, rewarding)

    if not is_main_process():
        # It takes part in every step, and writes where nobody looks.
        with tempfile.TemporaryDirectory() as nowhere:
            partial = Path(nowhere)
            with begun(partial) as challengers:
                return _write(challengers, partial, held_out, held_out_features, job)
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        with begun(partial) as challengers:
            result = _write(challengers, partial, held_out, held_out_features, job)
    except BaseException as error:
        shutil.rmtree(partial, ignore_errors=True)
        if isinstance(error, Exception):  # it would fail again; one that was interrupted goes on from them
            shutil.rmtree(checkpoints, ignore_errors=True)
        raise
    shutil.rmtree(out, ignore_errors=True)
    partial.rename(out)
    shutil.rmtree(checkpoints, ignore_errors=True)
    return result.model_copy(update={"directory": out})


def versions() -> dict[str, str]:
    """The libraries that decide what a training comes to."""
    return {library: version(library) for library in LIBRARIES}


def items_without(items: Sequence[TrainingItem], held_out: Collection[HeldOut]) -> list[int]:
    """Indices of the items that share nothing with `held_out`: neither example nor cluster, nor do their ancestors."""
    examples = {each.example for each in held_out}
    clusters = {each.cluster for each in held_out if each.cluster}
    by_id = {item.example.id: item.example for item in items}

    def apart(example: Example) -> bool:
        seen: set[str] = set()
        ancestor: Example | None = example
        while ancestor is not None and ancestor.id not in seen:
            if not examples.isdisjoint({ancestor.id, ancestor.parent}) or ancestor.cluster in clusters:
                return False
            seen.add(ancestor.id)
            ancestor = by_id.get(ancestor.parent or "")
        return True

    return [index for index, item in enumerate(items) if apart(item.example)]


def _write(
    challengers: "_Challengers",
    directory: Path,
    held_out: Sequence[HeldOut],
    held_out_features: Sequence[Features],
    job: str,
) -> TrainingResult:
    began = time.perf_counter()
    start = challengers.answering.overall()
    challengers.train(WEIGHTS, range(len(challengers.items)), challengers.entering())
    (directory / WEIGHTS).mkdir()
    challengers.policy.save(directory / WEIGHTS)
    end = challengers.answering.overall()
    refreshes = {each.step: each.id for each in challengers.refreshes.changes()} if challengers.refreshes else {}
    crossfit = _cross_fit(challengers, held_out, held_out_features)
    steps = challengers.trained * challengers.settings.steps
    result = TrainingResult(
        directory=directory,
        job=job,
        items=len(challengers.items),
        challengers=challengers.trained,
        steps=steps,
        seconds=time.perf_counter() - began,
        ms_per_step=1000 * challengers.training_s / steps,
        start=start,
        end=end,
        trainable=tuple(n for n, weight in challengers.policy.model.named_parameters() if weight.requires_grad),
        versions=versions(),
        refreshes=refreshes,
    )
    (directory / CROSSFIT).write_text(json.dumps(crossfit, sort_keys=True))
    (directory / RESULT).write_text(result.model_dump_json(exclude={"directory"}, indent=1))
    return result


class _Challengers:
    """Trains one challenger after another from the same champion, and leaves the policy as it came."""

    def __init__(
        self,
        policy: Policy,
        items: Sequence[TrainingItem],
        features: Sequence[Features],
        settings: LearningSettings,
        seed: int,
        directory: Path,
        checkpoints: Path,
        job: str,
        refreshes: Refreshes | None,
        rewarding: Rewarding | None,
    ) -> None:
        self.rewarding = rewarding
        self.policy, self.items, self.features = policy, items, features
        self.settings, self.seed, self.directory = settings, seed, directory
        self.checkpoints, self.job, self.refreshes = checkpoints, job, refreshes
        self.trained, self.training_s = 0, 0.0

    def __enter__(self) -> Self:
        changing = changing_weights(self.policy.model)
        if not any(weight.requires_grad for weight in changing.values()):
            raise NightshiftError(f"policy {self.policy.name!r} has no trainable weights")
        self._champion = {name: weight.detach().clone() for name, weight in changing.items()}
        self.answering = self._begin()
        self._log = (self.directory / STEPS_FILE).open("w", buffering=1)
        return self

    def __exit__(self, *_: object) -> None:
        self._log.close()
        self.answering.close()
        self.back_to_champion()

    def _begin(self) -> Answering:
        if self.policy.answers is not None:
            return ClosedSet(self.policy, self.items, self.features, self.settings)
        assert self.rewarding is not None  # `train` has seen to it
        return FreeText.begin(self.policy, self.items, self.features, self.settings, self.rewarding)

    def back_to_champion(self) -> None:
        """Gives the policy the weights it came with."""
        restore_weights(self.policy.model, self._champion)
        self.policy.model.eval()

    def train(self, name: str, rows: Sequence[int], entering: Entering | None) -> None:
        """Trains from the champion on these rows of the items; the policy then is the challenger."""
        from core.learning.trainer import fit  # imports TRL

        self.back_to_champion()
        seconds = 0.0

        def on_step(figures: dict[str, Any]) -> None:
            nonlocal seconds
            seconds = figures["seconds"]
            self._log.write(json.dumps({"challenger": name, **figures}) + "\n")

        def objective(champion: Policy, live: LiveItems) -> Objective:
            return self.answering.objective(champion, live, self.seed)

        fit(
            self.policy,
            [self.items[row] for row in rows],
            [self.features[row] for row in rows],
            self.answering.champion(rows),
            objective,
            self.settings,
            seed=self.seed,
            scratch=self.directory,
            on_step=on_step,
            checkpoints=self._checkpoints(name),
            entering=entering,
        )
        self.training_s += seconds
        self.trained += 1

    def entering(self) -> Entering | None:
        """What is asked between rounds."""
        refreshes = self.refreshes
        return None if refreshes is None else lambda step: _change(refreshes, refreshes.at(step))

    def entered(self, held_out: Sequence[HeldOut]) -> Entering | None:
        """What has been answered, without what shares anything with `held_out`."""
        refreshes = self.refreshes
        if refreshes is None:
            return None

        def apart(step: int) -> Change | None:
            change = _change(refreshes, refreshes.known(step))
            if change is None:
                return None
            together = [*self.items, *change.items]
            kept = [row - len(self.items) for row in items_without(together, held_out) if row >= len(self.items)]
            return Change([change.items[i] for i in kept], [change.features[i] for i in kept], change.leaves)

        return apart

    def _checkpoints(self, challenger: str) -> Checkpoints | None:
        if not self.job:
            return None
        # What else the bits of the weights hang on.
        training = content_id(self.job, challenger, {**versions()}, self.policy.model.device.type, process_count())
        return Checkpoints(self.checkpoints / challenger, training)


def _cross_fit(
    challengers: _Challengers, held_out: Sequence[HeldOut], features: Sequence[Features]
) -> dict[str, JsonValue]:
    answers: dict[str, JsonValue] = {}
    for fold in sorted({each.fold for each in held_out}):
        judged = [i for i, each in enumerate(held_out) if each.fold == fold]
        apart = [held_out[i] for i in judged]
        if rows := items_without(challengers.items, apart):
            challengers.train(f"fold-{fold}", rows, challengers.entered(apart))
        else:
            # Nothing is left to learn from: what would have been trained is the champion.
            challengers.back_to_champion()
        said = challengers.answering.answers([features[i] for i in judged])
        answers.update(zip((held_out[i].example for i in judged), said, strict=True))
    return answers


def _change(refreshes: Refreshes, refresh: Refresh | None) -> Change | None:
    if refresh is None or not refresh.changes:
        return None
    items, features = refreshes.read(refresh)
    return Change(items, features, frozenset(refresh.leaves))


def _check(items: Sequence[TrainingItem], features: Sequence[Features], policy: Policy) -> None:
    if not items:
        raise NightshiftError("there is nothing to train on: no labelled or judged examples were given")
    if len(items) != len(features):
        raise NightshiftError(f"{len(features)} encoded features for {len(items)} training items")
    for item in items:
        if item.example.answers != policy.verdicts:
            raise NightshiftError(
                f"example {item.example.id} allows {item.example.answers}, policy {policy.name!r} answers "
                f"{policy.verdicts}"
            )


def _check_free_text(policy: Policy, settings: LearningSettings, rewarding: Rewarding | None) -> None:
    if rewarding is None:
        raise NightshiftError(f"policy {policy.name!r} answers in free text, and nothing says what a text is worth")
    if settings.objective == "closed_set":
        raise NightshiftError(
            f"policy {policy.name!r} answers in free text, and learning.objective 'closed_set' scores known answers; "
            'set objective = "dapo" and groups = "sampled"'
        )
    if is_sharded():
        raise NightshiftError(
            "free text cannot be trained with weights sharded by FSDP or DeepSpeed: the weights that draw, and those "
            "of the champion, take turns in the same model; launch with plain data parallelism"
        )
