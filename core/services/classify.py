"""From a picture and a question to a stored prediction."""

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

import torch

from core.learning import answer
from core.policy import Library, Policy
from core.policy.calibration import Calibration
from core.schema import CANNOT_TELL, Checkpoint, Example, Media, NightshiftError, Prediction, Release, new_id
from core.services.feedback import standing_word
from core.services.redacting import taken_in
from core.services.workspace import Workspace

__all__ = ["Classifier", "classify", "load_policy", "prediction", "take_in"]


def load_policy(ws: Workspace, release: Release) -> tuple[Policy, Path]:
    """The policy of a release, from disk, and its folder. Raises NightshiftError where it is missing or damaged."""
    checkpoint = ws.store.get(Checkpoint, release.checkpoints["policy"])
    if checkpoint is None:
        raise NightshiftError(f"release {release.id[:12]} names a checkpoint that is not here")
    directory = ws.registry.path(checkpoint.id)
    policy_class = ws.environment(release.environment).policy_class(checkpoint.policy)
    return policy_class.load(directory), directory


class Classifier:
    """A policy with its calibration, usually a release's. Writes nothing."""

    def __init__(
        self, ws: Workspace, environment: str, policy: Policy, calibration: Calibration, release_id: str
    ) -> None:
        self._ws = ws
        self.environment = ws.environment(environment)
        self.policy, self.calibration, self.release_id = policy, calibration, release_id

    @classmethod
    def of_release(cls, ws: Workspace, release: Release) -> Self:
        """A release, from disk, for answering only. Raises NightshiftError where it is missing or damaged."""
        policy, directory = load_policy(ws, release)
        policy.freeze()
        return cls(ws, release.environment, policy, Calibration.read(directory), release.id)

    @classmethod
    def prompted(cls, ws: Workspace, environment: str) -> "Classifier":
        """The baseline: a fixed prompt and no training."""
        policy = ws.environment(environment).prompted_policy(ws.settings)
        return cls(ws, environment, policy, Calibration(), policy.name)

    @classmethod
    def of_champion(cls, ws: Workspace, environment: str) -> "Classifier":
        """The release that serves now."""
        return cls.load(ws, environment, "champion")

    @classmethod
    def load(cls, ws: Workspace, environment: str, release_id: str) -> "Classifier":
        """A release by its id or an unambiguous beginning of it, `champion` or `challenger`."""
        return cls.of_release(ws, ws.registry.named(ws.environment(environment).name, release_id))

    def answer_logprobs(self, examples: Sequence[Example], library: Library | None = None) -> list[list[float]]:
        """Calibrated log-probabilities, N examples by K answers; pictures from the workspace unless told otherwise."""
        return self.calibrated(self.raw_logprobs(examples, library))

    def calibrated(self, logprobs_NK: Sequence[Sequence[float]]) -> list[list[float]]:
        """The policy's own log-probabilities at this release's temperature."""
        if not logprobs_NK:
            return []
        at_temperature: list[list[float]] = self.calibration(torch.tensor(logprobs_NK, dtype=torch.float64)).tolist()
        return at_temperature

    def raw_logprobs(self, examples: Sequence[Example], library: Library | None = None) -> list[list[float]]:
        """The policy's own log-probabilities, N examples by K answers."""
        if not examples:
            return []
        raw: list[list[float]] = answer(self.policy, examples, library or self._ws.library).tolist()
        return raw

    def predict(self, examples: Sequence[Example], *, explain: bool = True) -> list[Prediction]:
        """One prediction an example; latency is reading (as it took when it was read) and verdict."""
        predictions = []
        for example in examples:
            started = time.perf_counter()
            (raw,) = self.raw_logprobs([example])
            (logprobs,) = self.calibrated([raw])
            verdict_ms = (time.perf_counter() - started) * 1000
            evidence = self.policy.explain(example, self._ws.library) if explain else ()
            answers = example.answers or ()
            best = max(range(len(logprobs)), key=lambda k: logprobs[k])
            predictions.append(
                Prediction(
                    id=new_id(),
                    environment=example.environment,
                    example=example.id,
                    answer=answers[best],
                    probability=math.exp(raw[best]),
                    confidence=math.exp(logprobs[best]),
                    answer_logprobs=tuple(logprobs),
                    evidence=evidence,
                    release=self.release_id,
                    latency_ms=round(verdict_ms, 1),
                )
            )
        return predictions


def take_in(ws: Workspace, data: bytes, *, name: str | None, source: str | None, session: str | None) -> Media:
    """Checks, redacts and stores a picture. Raises ImageRefused with the reason, and then nothing is stored."""
    told = ws.settings
    media, png, reading = taken_in(data, told.media, told.redaction, name=name, source=source, session=session)
    ws.blobs.put(media.blob, png)
    ws.store.add(media)
    # The same picture may have been erased between these two: its record is then new, and its file is wanted again.
    if not ws.blobs.exists(media.blob):
        ws.blobs.put(media.blob, png)
    ws.library.remember(media)
    if reading is not None:
        ws.library.keep_reading(media.id, reading)
    return media


def classify(
    ws: Workspace,
    classifier: Classifier,
    data: bytes,
    ask: str,
    *,
    name: str | None = None,
    source: str | None = None,
    session: str | None = None,
    route: "Callable[[Example], Classifier] | None" = None,
) -> Prediction:
    """Takes a picture in, answers, and stores the prediction before returning it.

    `route` chooses another classifier by the example, where one is on trial.
    Raises NightshiftError for a picture or question that is refused; nothing is stored then.
    """
    classifier.environment.example(("unchecked",), ask, cluster="")
    started = time.perf_counter()
    media = take_in(ws, data, name=name, source=source, session=session)
    example = classifier.environment.example((media.id,), ask, cluster=ws.clusters.cluster(media.id))
    (answered,) = (route(example) if route else classifier).predict([example])
    took_ms = round((time.perf_counter() - started) * 1000, 1)
    answered = answered.model_copy(update={"latency_ms": took_ms, "session": session})
    word = standing_word(ws, example.id)
    if word is not None and word.answer != CANNOT_TELL:
        answered = answered.model_copy(
            update={"answer": word.answer, "probability": 1.0, "confidence": 1.0, "from_person": True}
        )
    if not ws.store.add(example, answered):
        ws.library.forget({media.id})
        ws.cache.forget(media.id)
        raise NightshiftError("the screen was erased while it was answered; send it again if it should be kept")
    return answered


def prediction(ws: Workspace, prediction_id: str) -> Prediction:
    """A stored prediction. Raises NightshiftError for an id that is not one."""
    found = ws.store.get(Prediction, prediction_id)
    if found is None:
        raise NightshiftError(f"there is no prediction {prediction_id!r} here")
    return found
