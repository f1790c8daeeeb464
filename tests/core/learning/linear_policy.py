"""A real, tiny policy for tests: a linear scorer over feature vectors. The training process imports it by name."""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import torch
from torch import Tensor
from transformers import PreTrainedConfig, PreTrainedModel

from core.learning import TrainingItem
from core.policy import Features, Library, Policy
from core.schema import Example, NightshiftError

ANSWERS = ("on_task", "off_task", "unclear")


class LinearConfig(PreTrainedConfig):
    model_type = "linear-scorer"

    def __init__(self, width: int = 8, answers: int = len(ANSWERS), **rest: object) -> None:
        super().__init__(**rest)
        self.width, self.answers = width, answers


class LinearModel(PreTrainedModel):
    config_class = LinearConfig

    def __init__(self, config: LinearConfig) -> None:
        super().__init__(config)
        self.head = torch.nn.Linear(config.width, config.answers)
        self.post_init()

    def forward(self, vector: Tensor) -> Tensor:
        return torch.log_softmax(self.head(vector), dim=-1)


class LinearPolicy(Policy):
    name = "linear"
    answers = ANSWERS

    def __init__(self, model: LinearModel) -> None:
        self.model = model

    def encode(self, examples: Sequence[Example], library: Library) -> list[Features]:  # noqa: ARG002
        return [vector_of(example) for example in examples]

    def collate(self, features: Sequence[Features]) -> Features:
        return {"vector": torch.stack([each["vector"] for each in features])}

    def answer_logprobs(self, batch: Features) -> Tensor:
        return self.model(batch["vector"])

    def save(self, directory: Path) -> None:
        self.model.save_pretrained(directory)

    @classmethod
    def load(cls, directory: Path) -> Self:
        if not (directory / "config.json").exists():
            raise NightshiftError(f"{directory} holds no linear policy")
        return cls(LinearModel.from_pretrained(directory))


class SlowPolicy(LinearPolicy):
    """Takes its time over every batch, so that there is something to kill."""

    name = "slow"

    def answer_logprobs(self, batch: Features) -> Tensor:
        time.sleep(float(os.environ.get("SLOW_POLICY_S", "0")))
        return super().answer_logprobs(batch)


class DivergingPolicy(LinearPolicy):
    """Turns into not-a-number as soon as it has been updated."""

    name = "diverging"

    def answer_logprobs(self, batch: Features) -> Tensor:
        logprobs = super().answer_logprobs(batch)
        return logprobs * (float("nan") if self.model.head.bias.abs().sum() > 0 else 1.0)


class GreedyPolicy(LinearPolicy):
    """Needs more memory than an accelerator has."""

    name = "greedy"

    def answer_logprobs(self, batch: Features) -> Tensor:  # noqa: ARG002
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 40.00 GiB.")


class HungryPolicy(LinearPolicy):
    """Needs more memory than a machine has."""

    name = "hungry"

    def answer_logprobs(self, batch: Features) -> Tensor:  # noqa: ARG002
        return torch.empty(1 << 60)


def new_policy(kind: type[LinearPolicy] = LinearPolicy, seed: int = 0) -> LinearPolicy:
    torch.manual_seed(seed)
    policy = kind(LinearModel(LinearConfig()))
    torch.nn.init.normal_(policy.model.head.weight, std=0.3)
    torch.nn.init.zeros_(policy.model.head.bias)
    return policy


def vector_of(example: Example) -> Features:
    """Eight numbers that follow from the question: its text is a seed."""
    generator = torch.Generator().manual_seed(int(example.id[:15], 16))
    return {"vector": torch.randn(8, generator=generator)}


def example(name: str, *, cluster: str = "", parent: str | None = None) -> Example:
    return Example.make("test", (), name, answers=ANSWERS, cluster=cluster, parent=parent)


def item(name: str, *, cluster: str = "", parent: str | None = None, **fields: object) -> TrainingItem:
    values = {"rewards": (None, None, None), "origin": "correction", **fields}
    return TrainingItem(example=example(name, cluster=cluster, parent=parent), **values)
