"""The reader as a policy: reads, embeds, weighs, and says which lines decided."""

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import Tensor

from core.policy.base import Features, Library, Policy
from core.policy.reader.asks import parse_ask
from core.policy.reader.background import Background
from core.policy.reader.matching import (
    ACTIVITY_FEATURES,
    MATCH_FEATURES,
    ScreenVectors,
    ask_vector,
    kept_screen_vectors,
    legibility,
    match_features,
)
from core.policy.reader.model import ReaderConfig, ReaderModel
from core.policy.testimony import Testimony
from core.reading import TextEncoder, text_encoder
from core.schema import Evidence, Example, NightshiftError

__all__ = ["ReaderPolicy"]

BACKGROUND_FILE = "background.json"
ORDINARY_SIMILARITY = 0.2
"About how alike an unrelated line and description are."


class ReaderPolicy(Policy):
    """Answers whether the first of two answers fits, from what is read off the example's only picture."""

    name = "reader"
    reads = True

    def __init__(self, model: ReaderModel, background: Background) -> None:
        self.model: ReaderModel = model
        self.background = background
        self.answers = tuple(model.config.answers)

    @classmethod
    def create(cls, answers: tuple[str, ...], background: Background, *, activities: bool = True) -> Self:
        """An untrained reader; without `activities`, one that never asks what kind of activity is shown or wanted.

        Raises NightshiftError unless there are exactly two answers.
        """
        if len(answers) != 2:
            raise NightshiftError(f"the reader tells two answers apart, not {len(answers)}: {', '.join(answers)}")
        config = ReaderConfig(answers=answers, dim=text_encoder().dim, topics=len(background.activities))
        if not activities:
            weights = zip(MATCH_FEATURES, config.match_weights, strict=True)
            config.match_weights = [0.0 if name in ACTIVITY_FEATURES else weight for name, weight in weights]
            config.block_scales["topic"] = 0.0
        return cls(ReaderModel(config).eval(), background)

    @property
    def encoder(self) -> TextEncoder:
        return text_encoder()

    def screen(self, media: str, library: Library) -> ScreenVectors:
        """What a picture says, embedded; kept by the library."""
        return kept_screen_vectors(media, library, self.background, self.encoder)

    def encode(self, examples: Sequence[Example], library: Library) -> list[Features]:
        return [self._features(example, library) for example in examples]

    def _features(self, example: Example, library: Library) -> Features:
        (media,) = example.media
        library = Testimony(library, example.ask)
        screen = self.screen(media, library)
        text = library.reading(media).text
        features = {
            "match": match_features(example.ask, text, screen, self.background, self.encoder),
            "legible": legibility(library.reading(media)),
            "topic": screen.topics_T - 1 / len(screen.topics_T),
            "screen": _direction(screen.document_D - self._screen_mean),
            "work": _direction(ask_vector(example.ask, self.encoder) - self._work_mean),
        }
        return {name: torch.from_numpy(np.asarray(value, dtype=np.float32)) for name, value in features.items()}

    @cached_property
    def _screen_mean(self) -> NDArray[np.float32]:
        mean: NDArray[np.float32] = self.background.vectors(self.encoder).screens_SD.mean(0)
        return mean

    @cached_property
    def _work_mean(self) -> NDArray[np.float32]:
        mean: NDArray[np.float32] = self.background.vectors(self.encoder).works_WD.mean(0)
        return mean

    def collate(self, features: Sequence[Features]) -> Features:
        return {name: torch.stack([f[name] for f in features]) for name in features[0]}

    def answer_logprobs(self, batch: Features) -> Tensor:
        logits_N = self.model(**batch)
        return torch.nn.functional.logsigmoid(torch.stack([logits_N, -logits_N], dim=-1))

    def explain(self, example: Example, library: Library, limit: int = 5) -> tuple[Evidence, ...]:
        """The lines nearest to the work where the verdict is yes, else those that show what is on instead."""
        (media,) = example.media
        library = Testimony(library, example.ask)
        screen, reading = self.screen(media, library), library.reading(media)
        vectors = self.background.vectors(self.encoder)
        topic = int(screen.topics_T.argmax())
        reads_like = Evidence(
            text=f"reads like {self.background.activities[topic].name.replace('_', ' ')}", media=media
        )
        lines = [line for line in reading.lines if len(line.text) >= 3]
        if not lines:
            return (Evidence(text="no text found on the screen", media=media),)
        work_D = self.encoder.embed([parse_ask(example.ask).wanted])[0]
        start = int(vectors.starts[topic])
        end = start + len(self.background.activities[topic].screens)
        to_work_L = screen.lines_LD @ work_D
        to_topic_L = (screen.lines_LD @ vectors.screens_SD[start:end].T).max(1)
        with torch.no_grad():
            fits = self.answer_logprobs(self.collate(self.encode([example], library)))[0].argmax().item() == 0
        slope = self.model.config.match_slope
        weights_L = (
            slope * (to_work_L - ORDINARY_SIMILARITY) if fits else -slope * np.maximum(to_topic_L - to_work_L, 0)
        )
        # Only what speaks for the verdict: a line that has nothing to do with the work speaks against no verdict.
        ranked = np.argsort(-weights_L if fits else weights_L, kind="stable")[: limit - 1]
        strongest = [i for i in ranked if (weights_L[i] > 0) == fits and weights_L[i] != 0]
        return (
            reads_like,
            *(
                Evidence(text=lines[i].text, box=lines[i].box, weight=round(float(weights_L[i]), 3), media=media)
                for i in strongest
            ),
        )

    def optimizer(self, learning_rate: float, items: int) -> torch.optim.Optimizer:
        """SGD with momentum; a weight decay of 1 / items makes the block scales a Gaussian prior for the mean loss."""
        return torch.optim.SGD(self.model.parameters(), lr=learning_rate, momentum=0.9, weight_decay=1 / max(items, 1))

    def save(self, directory: Path) -> None:
        self.model.save_pretrained(directory, safe_serialization=True)
        (directory / BACKGROUND_FILE).write_text(
            json.dumps(self.background.model_dump(mode="json"), sort_keys=True, indent=1)
        )

    @classmethod
    def load(cls, directory: Path) -> Self:
        try:
            model = ReaderModel.from_pretrained(directory, local_files_only=True)
        except (OSError, ValueError, RuntimeError, SafetensorError) as error:
            raise NightshiftError(f"{directory} holds no reader: {error}") from error
        if len(model.config.match_weights) != len(MATCH_FEATURES):
            raise NightshiftError(
                f"{directory} holds a reader that weighs {len(model.config.match_weights)} match features, and this "
                f"version of Nightshift has {len(MATCH_FEATURES)}: use the version that made it, or start a new home"
            )
        return cls(model.eval(), Background.read(directory / BACKGROUND_FILE))


def _direction(vector_D: NDArray[np.float32]) -> NDArray[np.float32]:
    length = float(np.linalg.norm(vector_D))
    return vector_D / length if length > 1e-6 else vector_D
