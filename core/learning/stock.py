"""Stock `trl.GRPOTrainer` on our student, data and rewards: what the benchmarks hold ours against.

Nothing of TRL is changed. Its samples are kept by its own `generation_kwargs` from tokens that ours never draws (in a
closed set all but the answers'), so that both sides draw from the same distribution; where completions are given, they
come in by its own `rollout_func`. Importing this module imports TRL.
"""

import itertools
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import AutoProcessor, PrinterCallback, ProcessorMixin, TrainerCallback

from core.learning.items import TrainingItem
from core.learning.rewarding import Rewarding
from core.learning.trl_alone import GRPOConfig, GRPOTrainer
from core.policy import Library
from core.policy.vlm.policy import VlmPolicy
from core.settings import LearningSettings

__all__ = ["StepTimes", "StockGRPOTrainer", "loss_and_gradients", "stock_trainer"]


class StockGRPOTrainer(GRPOTrainer):
    """TRL's trainer, silent."""

    def _send_telemetry(self) -> None:
        """Nothing about a benchmark leaves the machine."""


def stock_trainer(
    policy: VlmPolicy,
    items: Sequence[TrainingItem],
    library: Library,
    settings: LearningSettings,
    *,
    seed: int,
    output_dir: Path,
    rewarding: Rewarding | None = None,
    completions: Sequence[Sequence[int]] | None = None,
    callbacks: Sequence[TrainerCallback] = (),
) -> StockGRPOTrainer:
    """TRL's trainer over `items`, with our settings where it has the same, else its own defaults.

    `rewarding` says what texts are worth where the policy writes them.
    `completions` are tokens to be used in place of samples, one list for each row of a generation batch.
    """
    # Padded as TRL asks for it; else its token types are shifted against its prompts.
    processor = AutoProcessor.from_pretrained(policy.config.base, padding_side="left")
    trainer = StockGRPOTrainer(
        model=policy.model,
        reward_funcs=_item_rewards(policy, items) if rewarding is None else _text_rewards(policy, items, rewarding),
        args=_config(policy, settings, seed, output_dir),
        train_dataset=_dataset(policy, items, library),
        processing_class=processor,
        rollout_func=None if completions is None else _given(processor, completions),
        callbacks=list(callbacks),
        optimizers=(policy.optimizer(settings.learning_rate, len(items)), None),
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def _dataset(policy: VlmPolicy, items: Sequence[TrainingItem], library: Library) -> Dataset:
    """The items as TRL takes them: a conversation, its pictures (from memory, nothing is decoded), and which item."""

    def rows(batch: dict[str, list[int]]) -> dict[str, list[Any]]:
        examples = [items[index].example for index in batch["item"]]
        return {
            "prompt": [policy.config.prompt.messages(each.ask, len(each.media), ()) for each in examples],
            "images": [[library.image(media) for media in each.media] for each in examples],
            "item": batch["item"],
        }

    return Dataset.from_dict({"item": range(len(items))}).with_transform(rows)


def _config(policy: VlmPolicy, settings: LearningSettings, seed: int, output_dir: Path) -> GRPOConfig:
    never, longest = list(policy.never_sampled), settings.max_new_tokens
    if policy.answers is not None:
        answers = set(policy.answer_tokens.tokens_KT[policy.answer_tokens.mask_KT].tolist())
        never = sorted(set(range(len(policy.model.get_output_embeddings().weight))) - answers)
        longest = policy.answer_tokens.tokens_KT.shape[1]
    return GRPOConfig(
        output_dir=str(output_dir),
        num_generations=settings.group_size,
        per_device_train_batch_size=settings.batch_size * settings.group_size,
        max_completion_length=longest,
        temperature=settings.temperature,
        top_p=settings.top_p,
        generation_kwargs={"suppress_tokens": never},
        loss_type=settings.objective,
        scale_rewards=settings.scale_rewards,
        beta=settings.kl_weight,
        max_steps=settings.steps,
        learning_rate=settings.learning_rate,
        seed=seed,
        # Float32 on both sides, and no activations thrown away to be computed again: TRL's defaults would be slower.
        bf16=False,
        gradient_checkpointing=False,
        use_cpu=policy.model.device.type == "cpu",
        dataloader_pin_memory=False,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )


def _item_rewards(policy: VlmPolicy, items: Sequence[TrainingItem]) -> Any:
    lengths_K = policy.answer_tokens.mask_KT.sum(dim=1).tolist()
    answers = [tuple(row[:n]) for row, n in zip(policy.answer_tokens.tokens_KT.tolist(), lengths_K, strict=True)]

    def item_rewards(completion_ids: list[list[int]], item: list[int], **_: Any) -> list[float | None]:
        """The reward of the answer that a completion is; none for anything else."""
        found = [answers.index(tuple(ids)) if tuple(ids) in answers else None for ids in completion_ids]
        return [None if k is None else items[i].effective_rewards[k] for k, i in zip(found, item, strict=True)]

    return item_rewards


def _text_rewards(policy: VlmPolicy, items: Sequence[TrainingItem], rewarding: Rewarding) -> Any:
    def text_rewards(completion_ids: list[list[int]], item: list[int], **_: Any) -> list[float | None]:
        """The reward of the text that a completion is."""
        texts = map(policy.text_of, completion_ids)
        groups = rewarding.of_groups([items[i] for i in item], [[text] for text in texts])
        return [reward for ((reward, _),) in groups]

    return text_rewards


def _given(processor: ProcessorMixin, completions: Sequence[Sequence[int]]) -> Any:
    def rollout(prompts: list[Any], trainer: GRPOTrainer) -> dict[str, Any]:  # noqa: ARG001
        tokenized = processor.apply_chat_template(prompts, add_generation_prompt=True, tokenize=True, return_dict=True)
        return {"prompt_ids": tokenized["input_ids"], "completion_ids": list(completions), "logprobs": None}

    return rollout


class StepTimes(TrainerCallback):
    """Seconds from the end of each step to the end of the next."""

    def __init__(self) -> None:
        self._ends: list[float] = []

    def on_step_end(self, *_: Any, **__: Any) -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self._ends.append(time.perf_counter())

    @property
    def seconds(self) -> list[float]:
        return [after - before for before, after in itertools.pairwise(self._ends)]


def loss_and_gradients(trainer: StockGRPOTrainer, rows: Sequence[int]) -> tuple[float, torch.Tensor]:
    """TRL's loss of one update over the items `rows`, each with a whole group, and all its gradients in one vector."""
    trainer.current_gradient_accumulation_steps = 1
    trainer.model.train()
    trainer.model.zero_grad()
    repeated = [trainer.train_dataset[row] for row in rows for _ in range(trainer.num_generations)]
    loss = trainer.compute_loss(trainer.model, trainer._generate_and_score_completions(repeated))
    loss.backward()
    gradients = [weight.grad.flatten() for weight in trainer.model.parameters() if weight.grad is not None]
    return float(loss.detach()), torch.cat(gradients)
