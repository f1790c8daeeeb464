"""What everyone would try first: a fixed prompt, an encoder as it comes, one threshold, no training."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, NoReturn, Self

import torch
from torch import Tensor

from core.policy.base import Features, Library, Policy
from core.policy.reader.background import Background
from core.policy.reader.matching import TOP_LINES, kept_screen_vectors
from core.policy.testimony import Testimony
from core.reading import text_encoder
from core.schema import Example, NightshiftError

__all__ = ["PromptedPolicy"]

THRESHOLD = 0.35
"Between an unrelated line, about 0.2, and a close paraphrase, about 0.5; fitted to no data."
SLOPE = 20.0


class PromptedPolicy(Policy):
    """Similarity of a prompt with the best lines of the screen. A baseline: it is never trained and never stored."""

    name = "prompt"
    reads: ClassVar[bool] = True

    def __init__(self, prompt: str, answers: tuple[str, str], background: Background) -> None:
        self.prompt, self.answers, self.background = prompt, answers, background
        self.model = text_encoder().model

    def encode(self, examples: Sequence[Example], library: Library) -> list[Features]:
        return [self._features(example, library) for example in examples]

    def _features(self, example: Example, library: Library) -> Features:
        (media,) = example.media
        encoder = text_encoder()
        heard = Testimony(library, example)
        lines_LD = kept_screen_vectors(media, heard, self.background, encoder).lines_LD
        prompt_D = encoder.embed([self.prompt.format(ask=example.ask)])[0]
        best = sorted((lines_LD @ prompt_D).tolist())[-TOP_LINES:]
        return {"similarity": torch.tensor(sum(best) / len(best))}

    def collate(self, features: Sequence[Features]) -> Features:
        return {"similarity": torch.stack([each["similarity"] for each in features])}

    def answer_logprobs(self, batch: Features) -> Tensor:
        logits_N = SLOPE * (batch["similarity"] - THRESHOLD)
        return torch.nn.functional.logsigmoid(torch.stack([logits_N, -logits_N], dim=-1))

    def save(self, directory: Path) -> NoReturn:  # noqa: ARG002
        raise NightshiftError("the prompt is a baseline to measure against; it is not kept as a model")

    @classmethod
    def load(cls, directory: Path) -> Self:
        raise NightshiftError(f"{directory}: the prompt is a baseline to measure against; it is not kept as a model")
