"""Answers as tokens: what of them has to be scored so that they can be told apart.

Where the words of all answers begin with different tokens, the first token decides, and one prefill of the prompt
gives every answer's log-probability. Else whole words are scored. Axes: K answers, T tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from core.schema import NightshiftError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

__all__ = ["AnswerTokens"]


@dataclass(frozen=True)
class AnswerTokens:
    """The tokens that are scored, filled up on the right."""

    tokens_KT: Tensor
    mask_KT: Tensor

    @property
    def first_decides(self) -> bool:
        """Whether one token an answer is scored."""
        return self.tokens_KT.shape[1] == 1

    @classmethod
    def of(cls, words: Sequence[str], tokenizer: "PreTrainedTokenizerBase", prompt_end: str) -> "AnswerTokens":
        """The tokens of `words` as an answer to a prompt that ends with the text `prompt_end`.

        Raises NightshiftError where two answers cannot be told apart, or one holds a control token.
        """
        # A template that ends in the middle of a line ("Assistant:") is answered with a word behind a space.
        behind = "" if not prompt_end or prompt_end[-1].isspace() else " "
        tokens = [tokenizer.encode(behind + word, add_special_tokens=False) for word in words]
        _check(words, tokens, set(tokenizer.added_tokens_decoder))
        if len({each[0] for each in tokens}) == len(tokens):
            tokens = [each[:1] for each in tokens]
        return cls(*_mask(tokens))

    @classmethod
    def of_lines(cls, lines: Sequence[str], tokenizer: "PreTrainedTokenizerBase") -> "AnswerTokens | None":
        """Whole first lines of an answer that goes on behind them; None where there are none.

        Raises NightshiftError where two cannot be told apart, or one holds a control token.
        """
        if not lines:
            return None
        tokens = [tokenizer.encode(f"{line}\n", add_special_tokens=False) for line in lines]
        _check(lines, tokens, set(tokenizer.added_tokens_decoder))
        return cls(*_mask(tokens))


def _mask(tokens: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Int[K, T] filled up on the right, and which places hold a token."""
    longest = max(map(len, tokens))
    filled = [[*each, *[0] * (longest - len(each))] for each in tokens]
    return torch.tensor(filled), torch.tensor([[place < len(each) for place in range(longest)] for each in tokens])


def _check(words: Sequence[str], tokens: Sequence[list[int]], control: set[int]) -> None:
    for word, each in zip(words, tokens, strict=True):
        if not word.strip():
            raise NightshiftError(f"answer {word!r} is empty; an answer needs a word")
        if control.intersection(each):
            raise NightshiftError(
                f"answer {word!r} holds a control token of the model; answers are words, never image or chat tokens"
            )
    for i, one in enumerate(tokens):
        for j, other in enumerate(tokens):
            if i != j and other[: len(one)] == one:
                raise NightshiftError(
                    f"answers {words[i]!r} and {words[j]!r} collide: the tokens of the one begin those of the other; "
                    "choose words that begin differently"
                )
