"""The contract of every student.

A policy turns examples into features once (`encode`: reading, embedding or pixel preprocessing, no gradient) and
features into answers as often as training wants (`answer_logprobs`, differentiable). One that answers in free text
samples completions (`sample`) and scores them (`completion_scores`, differentiable) in their place.

Axes: N examples, K answers of a closed set, G completions of an example, T tokens of an answer.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol, Self, TypeAlias

from core.policy.form import TextForm
from core.schema import Evidence, Example, Rollout

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image
    from torch import Tensor
    from torch.optim import Optimizer
    from transformers import PreTrainedModel

    from core.reading import Reading

    Arrays = dict[str, NDArray[np.float32]]

__all__ = ["Completions", "Features", "Library", "Policy", "Sampling", "TokenScores"]

Features: TypeAlias = "dict[str, Tensor]"


@dataclass(frozen=True)
class Sampling:
    """How completions are drawn."""

    temperature: float = 1.0
    "What log-probabilities are divided by before a token is drawn; 0 takes the likeliest."
    top_p: float = 1.0
    "Tokens are drawn from the likeliest that have this much probability together."
    max_new_tokens: int = 128
    "A completion that has not ended by then is cut off."
    form: TextForm | None = None
    "The only form in which completions may be written; None leaves them free."


@dataclass(frozen=True)
class Completions:
    """G sampled completions of N prompts, filled up on the right."""

    tokens_NGT: "Tensor"
    "The end token, where a completion came to it, is the last of its tokens."
    mask_NGT: "Tensor"
    "True where a completion has a token, its end token included."
    logprobs_NGT: "Tensor"
    """Log-probability of each token under the policy itself: temperature 1, the whole vocabulary, whatever the
    temperature, top_p and ban on control tokens that it was drawn with. 0 outside the mask."""
    ended_NG: "Tensor"
    "False where a completion was cut off."


@dataclass(frozen=True)
class TokenScores:
    """What a policy says of given completions, at temperature 1 over the whole vocabulary; 0 outside their mask."""

    logprobs_NGT: "Tensor"
    entropies_NGT: "Tensor"
    "Of the distribution that each token is one draw from, in nats."


class Library(Protocol):
    """Where a policy, a judge or a variant looks at what an example is about."""

    def image(self, media: str) -> "Image":
        """The normalised picture of a media id. Raises NightshiftError where it is gone."""
        ...

    def reading(self, media: str) -> "Reading":
        """What can be read off it; cached."""
        ...

    def arrays(self, media: str, name: str, make: "Callable[[], Arrays]") -> "Arrays":
        """Arrays that follow from a picture and `name` alone; made once and kept."""
        ...


class Policy(ABC):
    """A student: any `PreTrainedModel` with what it needs to see an example."""

    name: ClassVar[str]
    answers: tuple[str, ...] | None
    "The closed answer set, in the order of the K axis; None for free text."
    model: "PreTrainedModel"
    at_once: ClassVar[int] = 256
    "Examples that are encoded and answered at a time where nobody says otherwise: what memory holds easily."
    reads: ClassVar[bool] = False
    "Whether it asks the library for readings: they take longer than anything else."
    answer_mask_KT: "Tensor | None" = None
    "Which of T places hold a token of each answer; None where answers are no sequences of tokens."

    @abstractmethod
    def encode(self, examples: Sequence[Example], library: Library) -> list[Features]:
        """Model-ready features, one dict of tensors an example, the same whatever company it is encoded in."""

    @abstractmethod
    def collate(self, features: Sequence[Features]) -> Features:
        """Features of N examples, in order, as one padded batch that the model takes."""

    @abstractmethod
    def answer_logprobs(self, batch: Features) -> "Tensor":
        """Float[N, K] normalised log-probabilities of the answers; differentiable in the trainable weights.

        Raises NotImplementedError for a policy without a closed answer set.
        """

    def answer_token_logprobs(self, batch: Features) -> "Tensor":
        """Float[N, K, T] log-probabilities, over the whole vocabulary, of each answer's tokens; differentiable.

        0 outside `answer_mask_KT`. Raises NotImplementedError where answers are no sequences of tokens.
        """
        raise NotImplementedError(f"{self.name} scores whole answers, not tokens")

    @property
    def verdicts(self) -> tuple[str, ...] | None:
        """The closed set by which answers are counted: the answers, or in free text the first lines they may have."""
        return self.answers

    def verdict_logprobs(self, batch: Features) -> "Tensor":
        """Float[N, K] normalised log-probabilities of `verdicts`; differentiable."""
        return self.answer_logprobs(batch)

    def generate(
        self, examples: Sequence[Example], library: Library, *, run: str, samples: int, sampling: Sampling
    ) -> list[Rollout]:
        """`samples` rollouts an example, in order, with token log-probabilities and masks."""
        raise NotImplementedError(f"{self.name} answers from a closed set and generates nothing")

    def sample(self, batch: Features, samples: int, sampling: Sampling) -> Completions:
        """`samples` completions of each prompt, drawn with torch's own random numbers, without gradient."""
        raise NotImplementedError(f"{self.name} answers from a closed set and generates nothing")

    def completion_scores(self, batch: Features, completions_NGT: "Tensor", mask_NGT: "Tensor") -> TokenScores:
        """Scores of each completion's tokens behind its prompt; differentiable."""
        raise NotImplementedError(f"{self.name} answers from a closed set and scores no completions")

    def text_of(self, tokens: Sequence[int]) -> str:
        """What a completion of these tokens says, without its end token."""
        raise NotImplementedError(f"{self.name} answers from a closed set and writes no text")

    def tokens_of(self, text: str) -> list[int]:
        """The tokens of an answer that says `text`, its end token last."""
        raise NotImplementedError(f"{self.name} answers from a closed set and reads no text")

    def explain(self, example: Example, library: Library, limit: int = 5) -> tuple[Evidence, ...]:  # noqa: ARG002
        """What on the input weighed most in the verdict, strongest first."""
        return ()

    def optimizer(self, learning_rate: float, items: int) -> "Optimizer":  # noqa: ARG002
        """How the trainable weights are updated, for a loss that is a mean over `items` training items."""
        import torch

        trainable = [weight for weight in self.model.parameters() if weight.requires_grad]
        return torch.optim.AdamW(trainable, lr=learning_rate, weight_decay=0.0, fused=True)

    def freeze(self) -> None:  # noqa: B027 - for many there is nothing to do
        """From here on it only answers; one that answers faster so may no longer be trained or saved after it."""

    @abstractmethod
    def save(self, directory: Path) -> None:
        """Writes safetensors, config and processor; byte-identical for equal weights."""

    @classmethod
    @abstractmethod
    def load(cls, directory: Path) -> Self:
        """The policy as it was saved. Raises NightshiftError for a folder that does not fit."""
