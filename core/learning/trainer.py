"""TRL's `GRPOTrainer` for the objectives of this package: four small seams, no method of it copied.

What of TRL's algorithm is left out, and why: generation and prompt preprocessing (features are encoded once, before
training; an objective over a closed set knows the answers, one of free text draws from a rollout engine), reward
functions (rewards come with the items, or from the objective), the reference model (the champion is the same model
with other weights in its adapter). What stays: the loop, optimiser, schedule, gradient clipping and accumulation,
device placement, metrics.

Importing this module imports TRL; nothing in `core.learning` does so before it trains.
"""

import copy
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import torch
from datasets import Dataset
from torch import Tensor
from torch.utils.data import Sampler
from transformers import PreTrainedModel, PrinterCallback, TrainerCallback
from transformers.trainer import TRAINER_STATE_NAME

from core.learning.answer_model import AnswerModel, tokenizer_of_no_words
from core.learning.checkpoints import Checkpoints
from core.learning.items import TrainingItem
from core.learning.live_items import Entering, LiveItems
from core.learning.loss import PARTS
from core.learning.objectives import Drawn, Objective
from core.learning.processes import is_sharded, process_count
from core.learning.reward_figures import PREFIX, rewards_by_name
from core.learning.rounds import Rounds
from core.learning.scoring import collate
from core.learning.steps import without_nan
from core.learning.training_state import (
    changing_weights,
    optimizer_state,
    random_state,
    read_numbers,
    read_tensors,
    restore_optimizer,
    restore_random,
    restore_weights,
    write_state,
)
from core.learning.trl_alone import GRPOConfig, GRPOTrainer
from core.learning.watch import Watch
from core.policy import Features, Policy
from core.schema import NightshiftError
from core.settings import LearningSettings

__all__ = ["MakeObjective", "PolicyTrainer", "StepListener", "fit", "policy_trainer"]

StepListener: TypeAlias = Callable[[dict[str, Any]], object]
MakeObjective: TypeAlias = Callable[[Policy, LiveItems], Objective]
"""From a policy, which still is the champion."""

DRAWN = ("staleness", "tokens", "truncated", "rollout_s")
LOOP = ("mismatch", "grad_norm", "learning_rate", "prompt_tokens", "words_entered", "words_left")
STEP_FIGURES = (*PARTS, *DRAWN, *LOOP)


class PolicyTrainer(GRPOTrainer):
    """Trains `policy.model`, which still is the champion, in place.

    The same items, objective, seed, settings and changes give bit-identical weights on the same machine.
    `items_count` is how many items of full weight there are: what a mean over all of them stands for. `entering` says
    what changes between rounds.
    """

    def __init__(
        self,
        policy: Policy,
        objective: Objective,
        live: LiveItems,
        settings: LearningSettings,
        *,
        items_count: int,
        seed: int,
        output_dir: Path,
        checkpoints: Checkpoints | None = None,
        callbacks: Sequence[TrainerCallback] = (),
        entering: Entering | None = None,
    ) -> None:
        self._checkpoints = checkpoints
        self._policy, self._objective = policy, objective
        self._live, self._settings = live, settings
        self._rounds = Rounds(policy, objective, live, settings, entering)
        self._watch, self._items_count = Watch(settings), items_count
        super().__init__(
            model=AnswerModel(policy.model, objective.forward),
            reward_funcs=_rewarded_by_the_objective,
            args=_config(policy, settings, seed, output_dir, checkpoints=checkpoints is not None),
            train_dataset=Dataset.from_dict({"draw": range(settings.steps * settings.batch_size)}),
            processing_class=tokenizer_of_no_words(),
            callbacks=list(callbacks),
        )
        self.remove_callback(PrinterCallback)
        objective.over_processes = self._mean_over_processes

    def _mean_over_processes(self, value: Tensor) -> Tensor:
        return self.accelerator.reduce(value, reduction="mean")

    def create_optimizer(self, model: torch.nn.Module | None = None) -> torch.optim.Optimizer:  # noqa: ARG002
        """The policy's own; where weights are sharded, this is called once they are."""
        if self.optimizer is None:
            self.optimizer: torch.optim.Optimizer = self._policy.optimizer(
                self._settings.learning_rate, self._items_count
            )
        return self.optimizer

    def _send_telemetry(self) -> None:
        """Nothing about a training leaves the machine, whatever the environment says."""

    def _get_train_sampler(self, dataset: Dataset | None = None) -> Sampler[int]:  # noqa: ARG002
        return self._rounds

    def _generate_and_score_completions(self, inputs: list[dict[str, int]]) -> Drawn:
        rows_N = torch.tensor([self._rounds.drawn[each["draw"]] for each in inputs])
        return self._objective.draw(rows_N, self.state.global_step)

    def _compute_loss(self, model: torch.nn.Module, inputs: Drawn) -> Tensor:
        rows_N = inputs["rows_N"]
        for name, words in self._rounds.begin(self.state.global_step).items():
            self._note(name, words)
        batch = collate(self._policy, [self._live.features_of(row) for row in rows_N.tolist()])
        scores = model(**batch, **self._objective.beside(inputs))
        self._note_more(rows_N, batch, scores)
        self._compare(scores, inputs)
        loss, parts = self._objective(scores, inputs)
        # The same figures everywhere, so that no process stops alone.
        means = self._mean_over_processes(torch.stack([value.float() for value in parts.values()])).tolist()
        figures = {name: self._note(name, mean) for name, mean in zip(parts, means, strict=True)}
        self._watch.look(self.state.global_step + 1, figures)
        return loss

    def _compare(self, scores: Any, drawn: Drawn) -> None:
        step = self.state.global_step
        mismatch = self._objective.mismatch(scores, drawn, step)
        if mismatch is not None:
            nats = self._note("mismatch", float(self._mean_over_processes(mismatch.nats)))
            self._watch.compare(step + 1, nats, mismatch.says)

    def _note_more(self, rows_N: Tensor, batch: Features, scores: Any) -> None:
        """Figures that the loss does not need: rewards by name, and how many tokens the prompts have."""
        items = [self._live.items[row] for row in rows_N.tolist()]
        for name, value in rewards_by_name(items, self._objective.answers(scores)).items():
            self._note(name, value)
        if "attention_mask" in batch:
            self._note("prompt_tokens", float(batch["attention_mask"].sum()))

    def _note(self, name: str, value: float) -> float:
        self._metrics["train"][name].append(value)
        return value

    def _save_checkpoint(self, model: torch.nn.Module, trial: Any) -> None:  # noqa: ARG002
        """In place of TRL's, which would copy the frozen weights each time and pickle the rest."""
        random = random_state(self._objective.sampling, self._of_each_process)
        if self._checkpoints is None or not self.is_world_process_zero():
            return
        optimizer_tensors, optimizer_numbers = optimizer_state(self.optimizer)
        drawing, drawing_numbers = self._objective.state()
        tensors = {
            "weights": changing_weights(self._policy.model),
            "optimizer": optimizer_tensors,
            "random": random,
            "objective": drawing,
        }
        numbers = {
            "objective": drawing_numbers,
            "optimizer": optimizer_numbers,
            "scheduler": self.lr_scheduler.state_dict(),
            "entropy_weight": self._objective.entropy.weight,
            "steps_in_collapse": self._watch.steps_in_collapse,
        }

        def fill(folder: Path) -> None:
            write_state(folder, tensors, numbers)
            self.state.save_to_json(folder / TRAINER_STATE_NAME)

        step = self.state.global_step
        self._checkpoints.write(step, fill, last=step == self._settings.steps)

    def _of_each_process(self, value: Tensor) -> Tensor:
        return self.accelerator.gather(value.to(self.accelerator.device)).cpu()

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: torch.nn.Module | None = None) -> None:  # noqa: ARG002
        restore_weights(self._policy.model, read_tensors(Path(resume_from_checkpoint), "weights"))

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if checkpoint is None:
            return
        numbers = read_numbers(Path(checkpoint))
        restore_optimizer(self.optimizer, read_tensors(Path(checkpoint), "optimizer"), numbers["optimizer"])
        self.lr_scheduler.load_state_dict(numbers["scheduler"])
        self._objective.entropy.weight = numbers["entropy_weight"]
        self._objective.restore(read_tensors(Path(checkpoint), "objective"), numbers["objective"])
        self._watch.steps_in_collapse = numbers["steps_in_collapse"]

    def _load_scaler(self, checkpoint: str | None) -> None:
        """There is none, and TRL's would be unpickled."""

    def _load_rng_state(self, checkpoint: str | None) -> None:
        if checkpoint is not None:
            states = read_tensors(Path(checkpoint), "random")
            restore_random(self._objective.sampling, states, self.args.process_index)


class _StepLog(TrainerCallback):
    """Hands on each step's figures, and counts the seconds.

    The figures are also what the loop keeps as its history, and so in its checkpoints: where a training goes on, those
    of its earlier steps are handed on first.
    """

    def __init__(self, on_step: StepListener) -> None:
        self._on_step, self._began = on_step, time.perf_counter()

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        for figures in state.log_history:
            self._on_step(figures)
        if state.log_history:
            self._began -= state.log_history[-1]["seconds"]

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any], **_: Any) -> None:  # noqa: ARG002
        if "train_runtime" in logs:  # the summary after the last step
            return
        kept = [name for name in sorted(logs) if name in STEP_FIGURES or name.startswith(PREFIX)]
        figures = {name: logs[name] for name in kept if logs[name] is not None}
        seconds = time.perf_counter() - self._began
        state.log_history[-1] = {"step": state.global_step, **without_nan(figures), "seconds": round(seconds, 4)}
        self._on_step(state.log_history[-1])


def policy_trainer(
    policy: Policy,
    items: Sequence[TrainingItem],
    features: Sequence[Features],
    reference_NK: Tensor,
    objective: MakeObjective,
    settings: LearningSettings,
    *,
    seed: int,
    scratch: Path,
    checkpoints: Checkpoints | None = None,
    callbacks: Sequence[TrainerCallback] = (),
    entering: Entering | None = None,
) -> PolicyTrainer:
    """The trainer of `policy`, which still is the champion, whose log-probabilities are `reference_NK`."""
    live = LiveItems(items, features, reference_NK, settings, seed)
    return PolicyTrainer(
        policy,
        objective(policy, live),
        live,
        settings,
        items_count=max(1, round(sum(item.weight for item in items))),
        seed=seed,
        output_dir=scratch,
        checkpoints=checkpoints,
        callbacks=callbacks,
        entering=entering,
    )


def fit(
    policy: Policy,
    items: Sequence[TrainingItem],
    features: Sequence[Features],
    reference_NK: Tensor,
    objective: MakeObjective,
    settings: LearningSettings,
    *,
    seed: int,
    scratch: Path,
    on_step: StepListener,
    checkpoints: Checkpoints | None = None,
    entering: Entering | None = None,
) -> None:
    """Trains `policy.model` in place; `on_step` gets each step's figures as they come.

    With `checkpoints` it goes on from the newest and leaves new ones; `on_step` is then given the earlier steps again.
    `entering` is asked between rounds; where several processes train, it is not.
    Sharded weights leave none. Where several processes train, the main one ends with what was trained.
    Raises NightshiftError where loss or weights stop being finite numbers.
    """
    if is_sharded():
        checkpoints = None
    with _deterministic_algorithms(), _dropout_put_back(policy.model):
        # Sharding takes a model apart for good, and the policy is needed whole, to score and for the next challenger.
        trained = policy if process_count() == 1 else copy.deepcopy(policy)
        trainer = policy_trainer(
            trained,
            items,
            features,
            reference_NK,
            objective,
            settings,
            seed=seed,
            scratch=scratch,
            checkpoints=checkpoints,
            callbacks=[_StepLog(on_step)],
            entering=entering if process_count() == 1 else None,
        )
        newest = checkpoints.newest() if checkpoints is not None else None
        trainer.train(resume_from_checkpoint=str(newest) if newest is not None else None)
        if trained is not policy:
            _take_weights(policy, trainer.accelerator.get_state_dict(trainer.model_wrapped))
    policy.model.eval()
    broken = [name for name, weight in policy.model.named_parameters() if not weight.isfinite().all()]
    if broken:
        raise NightshiftError(
            f"training ended with weights that are no numbers ({broken[0]} and {len(broken) - 1} others); nothing was "
            "saved and the champion stays. A smaller learning.learning_rate usually helps."
        )


@torch.no_grad()
def _take_weights(policy: Policy, gathered: Mapping[str, Tensor]) -> None:
    """Copies the trained weights of an `AnswerModel`; processes that were not given them keep what they have."""
    for name, weight in policy.model.named_parameters():
        if weight.requires_grad and f"model.{name}" in gathered:
            weight.copy_(gathered[f"model.{name}"])


@contextmanager
def _dropout_put_back(model: PreTrainedModel) -> Iterator[None]:
    before = [(module, module.p) for module in model.modules() if isinstance(module, torch.nn.Dropout)]
    try:
        yield
    finally:
        for module, probability in before:
            module.p = probability


@contextmanager
def _deterministic_algorithms() -> Iterator[None]:
    """Asks torch for its deterministic kernels, and puts the choice back afterwards."""
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])


def _config(
    policy: Policy, settings: LearningSettings, seed: int, output_dir: Path, *, checkpoints: bool
) -> GRPOConfig:
    if settings.batch_size < 2:
        raise NightshiftError(f"learning.batch_size is {settings.batch_size}; training needs at least 2")
    processes = process_count()
    if settings.batch_size % processes:
        raise NightshiftError(f"learning.batch_size {settings.batch_size} cannot be split among {processes} processes")
    return GRPOConfig(
        output_dir=str(output_dir),
        # Only has to divide the batch: the sampler and the groups are ours.
        num_generations=settings.batch_size,
        per_device_train_batch_size=settings.batch_size // processes,
        max_steps=settings.steps,
        learning_rate=settings.learning_rate,
        lr_scheduler_type="linear",
        # The champion's log-probabilities are kept; a copy of the model is not.
        beta=0.0,
        # Makes the divergence from the champion 0 at the first step, and every step reproducible.
        disable_dropout=True,
        seed=seed % 2**32,
        bf16=False,
        gradient_checkpointing=False,
        use_cpu=policy.model.device.type == "cpu",
        remove_unused_columns=False,
        dataloader_pin_memory=False,
        ddp_find_unused_parameters=False,
        save_strategy="steps" if checkpoints else "no",
        save_steps=settings.checkpoint_steps,
        eval_strategy="no",
        logging_steps=1,
        report_to="none",
        disable_tqdm=True,
    )


def _rewarded_by_the_objective(**_: Any) -> list[float | None]:
    raise NightshiftError("rewards come with the items or from the objective; TRL asks for none")
