"""The reader as a policy: reads, embeds, weighs, and says which lines decided."""

import json
from collections.abc import Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from core.policy.base import Features, Library, Policy
from core.policy.reader.adapted import READ
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
    def create(
        cls, answers: tuple[str, ...], background: Background, *, activities: bool = True, adapted_layers: int = 0
    ) -> Self:
        """An untrained reader; without `activities`, one that never asks what kind of activity is shown or wanted.

        `adapted_layers` of the text encoder, the last ones, are trained for descriptions with the rest. Raises
        NightshiftError unless there are exactly two answers, and where the encoder has fewer layers.
        """
        if len(answers) != 2:
            raise NightshiftError(f"the reader tells two answers apart, not {len(answers)}: {', '.join(answers)}")
        encoder = text_encoder()
        if adapted_layers > encoder.model.config.num_hidden_layers:
            raise NightshiftError(
                f"reader.adapted_layers is {adapted_layers}; the text encoder has "
                f"{encoder.model.config.num_hidden_layers} layers"
            )
        config = ReaderConfig(
            answers=answers,
            dim=encoder.dim,
            topics=len(background.activities),
            adapted_layers=adapted_layers,
            adapted_width=encoder.model.config.intermediate_size,
        )
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
        # Examples of one picture share its vectors: a night has several of each.
        screens: dict[tuple[str, str], ScreenVectors] = {}
        features = []
        for example in examples:
            (media,) = example.media
            heard = Testimony(library, example)
            said = (media, heard.reading(media).text)
            if said not in screens:
                screens[said] = self.screen(media, heard)
            features.append(self._features(example, screens[said], heard))
        return features

    def _features(self, example: Example, screen: ScreenVectors, library: Library) -> Features:
        media = example.media[0]
        text = library.reading(media).text
        features = {
            "match": match_features(example.ask, text, screen, self.background, self.encoder),
            "legible": legibility(library.reading(media)),
            "topic": screen.topics_T - 1 / len(screen.topics_T),
            "screen": _direction(screen.document_D - self._screen_mean),
            "work": _direction(ask_vector(example.ask, self.encoder) - self._work_mean),
        }
        tensors = {name: torch.from_numpy(np.asarray(value, dtype=np.float32)) for name, value in features.items()}
        return {**tensors, **self._read(example.ask, screen)}

    def _read(self, ask: str, screen: ScreenVectors) -> Features:
        """What the adapted layers go over; nothing where there are none."""
        layers = self.model.config.adapted_layers
        if not layers:
            return {}
        wanted, ruled_out = parse_ask(ask)
        vectors = {"lines": screen.lines_LD, "passages": screen.chunks_CD, "document": screen.document_D}
        return {
            "wanted": _states(wanted, layers),
            "ruled_out": _states(ruled_out, layers),
            **{name: torch.from_numpy(value) for name, value in vectors.items()},
        }

    @cached_property
    def _screen_mean(self) -> NDArray[np.float32]:
        mean: NDArray[np.float32] = self.background.vectors(self.encoder).screens_SD.mean(0)
        return mean

    @cached_property
    def _work_mean(self) -> NDArray[np.float32]:
        mean: NDArray[np.float32] = self.background.vectors(self.encoder).works_WD.mean(0)
        return mean

    def collate(self, features: Sequence[Features]) -> Features:
        batch: Features = {}
        for name in features[0]:
            column = [each[name] for each in features]
            if name in READ:
                batch[name] = pad_sequence(column, batch_first=True)
                lengths_N = torch.tensor([len(each) for each in column])
                batch[f"{name}_mask"] = torch.arange(batch[name].shape[1]) < lengths_N[:, None]
            else:
                batch[name] = torch.stack(column)
        return batch

    def answer_logprobs(self, batch: Features) -> Tensor:
        logits_N = self.model(**batch)
        return torch.nn.functional.logsigmoid(torch.stack([logits_N, -logits_N], dim=-1))

    def explain(self, example: Example, library: Library, limit: int = 5) -> tuple[Evidence, ...]:
        """The lines nearest to the work where the verdict is yes, else those that show what is on instead."""
        (media,) = example.media
        library = Testimony(library, example)
        screen, reading = self.screen(media, library), library.reading(media)
        vectors = self.background.vectors(self.encoder)
        topic = int(screen.topics_T.argmax())
        reads_like = Evidence(
            text=f"reads like {self.background.activities[topic].name.replace('_', ' ')}", media=media
        )
        lines = [line for line in reading.lines if len(line.text) >= 3]
        if not lines:
            return (Evidence(text="no text found on the screen", media=media),)
        work_D = self._work_vector(example.ask)
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

    def _work_vector(self, ask: str) -> NDArray[np.float32]:
        """Float[D] of what a description wants, by the encoder as this reader has it."""
        adapted = self.model.adapted
        if adapted is None:
            return ask_vector(ask, self.encoder)
        states_TD = _states(parse_ask(ask).wanted, adapted.layers)
        all_tokens = torch.ones(1, len(states_TD), dtype=torch.bool)
        with torch.no_grad():
            vector_D: NDArray[np.float32] = adapted(states_TD[None], all_tokens)[0].numpy()
        return vector_D

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


@lru_cache(maxsize=1024)
def _states(text: str, last_layers: int) -> Tensor:
    """Float[T, D]: its tokens before the layers that are adapted; no token of an empty text. Not to be changed."""
    encoder = text_encoder()
    return encoder.states([text], last_layers)[0] if text else torch.zeros(0, encoder.dim)
