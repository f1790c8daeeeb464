"""A policy as what TRL wants to train: a module and a tokenizer."""

from collections.abc import Callable
from typing import Any

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from torch import Tensor
from transformers import GenerationConfig, PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerFast

from core.policy import Features

__all__ = ["AnswerModel", "tokenizer_of_no_words"]

_NO_WORDS = {"pad_token_id": 0, "eos_token_id": 0}


class AnswerModel(PreTrainedModel):
    """Features of N examples in, what the objective wants to know of the answers out.

    TRL writes to the model it is given (pad token, generation settings, tags, a patched `forward`). It writes to
    this shell, so that the policy's own model is saved as it would be without TRL.
    """

    config_class = PreTrainedConfig

    def __init__(self, model: torch.nn.Module, answer: Callable[[Features], Any]) -> None:
        """`answer` is the policy's way through its `model`."""
        super().__init__(PreTrainedConfig(**_NO_WORDS))
        self.generation_config = GenerationConfig(**_NO_WORDS)
        self.model = model
        self._answer = answer

    def forward(self, **batch: Tensor) -> Any:
        return self._answer(batch)


def tokenizer_of_no_words() -> PreTrainedTokenizerFast:
    """TRL asks for a tokenizer even where no text is tokenised."""
    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(WordLevel({"<pad>": 0}, unk_token="<pad>")), pad_token="<pad>", eos_token="<pad>"
    )
