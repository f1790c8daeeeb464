"""What training is given: an example, what its answers earned, and what a person said of it."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal, TypeAlias

import torch
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, TypeAdapter, ValidationError, model_validator
from torch import Tensor

from core.schema import Example, NightshiftError

__all__ = ["Origin", "Targets", "TrainingItem", "family_roots", "load_items", "save_items"]

Origin: TypeAlias = Literal["correction", "variant", "replay", "confirmed", "judged"]
"""Why an item is trained on: a new correction, a variant of one, an older correction, a prediction a person agreed
with, or one that only rewards speak for."""

NO_LABEL = -1


class TrainingItem(BaseModel):
    """One example with the rewards of its K answers, in the order of `example.answers`.

    Where the example is answered in free text there are no answers to reward beforehand, and K is 0.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    example: Example
    rewards: tuple[FiniteFloat | None, ...] = ()
    "One per answer; None is unscored, which is neutral and never a zero."
    gold: str | None = None
    "For free text: the whole answer a person gave, where it says more than `label`."
    reward_parts: dict[str, tuple[FiniteFloat | None, ...]] = {}
    "What each named part said of the answers, before they were mixed into `rewards`; only for figures."
    label: int | None = None
    "Index of the answer a person gave, or that is known by construction; it overrides every reward."
    label_weight: FiniteFloat = Field(1.0, ge=0)
    "Weight of the label in the likelihood term."
    weight: FiniteFloat = Field(1.0, gt=0)
    "How much the item counts in the loss, relative to the others of its batch."
    priority: FiniteFloat = Field(1.0, gt=0)
    "How often it is drawn, relative to the others."
    base: FiniteFloat = Field(1.0, gt=0)
    "The same without what makes it urgent: how far its reviewer is trusted, and what it stands for."
    application: str = ""
    "What its input shows; items of one application are capped together. Empty where that is not known."
    reviewer: str = ""
    "Who answered it, or the example it was made from; capped together, too."
    origin: Origin

    @model_validator(mode="after")
    def _fits_its_answers(self) -> "TrainingItem":
        answers = self.example.answers
        if answers is None:
            if self.rewards or self.label is not None:
                raise ValueError(f"example {self.example.id} is answered in free text; it has no answers to number")
            return self
        if self.gold is not None and self.label is None:
            raise ValueError(f"example {self.example.id} has a closed set; its label is the number of an answer")
        if len(answers) < 2:
            raise ValueError(f"example {self.example.id} has no closed set of two or more answers")
        if len(self.rewards) != len(answers):
            raise ValueError(f"{len(self.rewards)} rewards for {len(answers)} answers of example {self.example.id}")
        for name, parts in self.reward_parts.items():
            if len(parts) != len(answers):
                raise ValueError(f"{len(parts)} values of {name} for {len(answers)} answers of {self.example.id}")
        if self.label is not None and not 0 <= self.label < len(answers):
            raise ValueError(f"label {self.label} of example {self.example.id} is not in 0..{len(answers) - 1}")
        return self

    @property
    def effective_rewards(self) -> tuple[float | None, ...]:
        """The rewards to train on: 1 for the label and 0 for the rest where there is a label."""
        if self.label is None:
            return self.rewards
        return tuple(float(k == self.label) for k in range(len(self.rewards)))


@dataclass(frozen=True)
class Targets:
    """What the loss needs to know of N items besides the policy's log-probabilities."""

    rewards_NK: Tensor
    "Effective rewards; NaN where unscored."
    labels_N: Tensor
    "Index of the label; -1 where there is none."
    label_weights_N: Tensor
    "0 where there is no label."
    weights_N: Tensor
    reference_NK: Tensor
    "The champion's log-probabilities."

    @classmethod
    def of(cls, items: Sequence[TrainingItem], reference_NK: Tensor) -> "Targets":
        """Targets of `items`, beside the champion's Float[N, K] log-probabilities of them."""
        rewards = [[float("nan") if r is None else r for r in item.effective_rewards] for item in items]
        labels = [NO_LABEL if item.label is None else item.label for item in items]
        label_weights = [0.0 if item.label is None else item.label_weight for item in items]
        return cls(
            rewards_NK=torch.tensor(rewards, dtype=torch.float32),
            labels_N=torch.tensor(labels),
            label_weights_N=torch.tensor(label_weights, dtype=torch.float32),
            weights_N=torch.tensor([item.weight for item in items], dtype=torch.float32),
            reference_NK=reference_NK,
        )

    def take(self, rows_N: Tensor) -> "Targets":
        """The targets of these rows, in this order; a row may come more than once."""
        return Targets(**{field.name: getattr(self, field.name)[rows_N] for field in fields(self)})

    def to(self, device: torch.device) -> "Targets":
        """The same targets on `device`."""
        return Targets(**{field.name: getattr(self, field.name).to(device) for field in fields(self)})


def family_roots(items: Sequence[TrainingItem]) -> list[str]:
    """For each item the id of the example it descends from, itself where it has no parent.

    Parents of parents are followed as far as they are among the items.
    """
    parents = {item.example.id: item.example.parent for item in items}
    return [_root(item.example.id, parents) for item in items]


def _root(example: str, parents: dict[str, str | None]) -> str:
    seen = {example}
    while (parent := parents.get(example)) is not None and parent not in seen:
        seen.add(parent)
        example = parent
    return example


_LIST = TypeAdapter(list[TrainingItem])


def save_items(path: Path, items: Sequence[TrainingItem]) -> None:
    """Writes items as a JSON list."""
    path.write_bytes(_LIST.dump_json(list(items)))


def load_items(path: Path) -> list[TrainingItem]:
    """Items as `save_items` wrote them. Raises NightshiftError where the file is missing or does not fit."""
    try:
        return _LIST.validate_json(path.read_bytes())
    except OSError as error:
        raise NightshiftError(f"cannot read the training items: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise NightshiftError(f"{path} does not hold training items: {where}: {first['msg']}") from error
