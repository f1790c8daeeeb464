"""From a picture and a question to a stored prediction."""

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import torch

from core.learning import answer
from core.policy import Library, Policy, Sampling
from core.policy.calibration import Calibration
from core.schema import (
    CANNOT_TELL,
    Checkpoint,
    Correction,
    Example,
    Media,
    NightshiftError,
    Prediction,
    Release,
    Unavailable,
    new_id,
)
from core.services.feedback import standing_words
from core.services.redacting import taken_in
from core.services.workspace import Workspace

__all__ = ["Classifier", "answer_and_log", "classify", "load_policy", "log_predictions", "take_in"]

ERASED_MEANWHILE = "the screen was erased while it was answered; send it again if it should be kept"


def load_policy(ws: Workspace, release: Release, stage: str = "policy") -> tuple[Policy, Path]:
    """The policy of a release, from disk, and its folder; `stage` names another of its checkpoints.

    Raises Unavailable where it is missing or damaged.
    """
    checkpoint = ws.store.get(Checkpoint, release.checkpoints[stage])
    if checkpoint is None:
        raise Unavailable(f"release {release.id[:12]} names a checkpoint that is not here")
    directory = ws.registry.path(checkpoint.id)
    try:
        return ws.environment(release.environment).policy_class(checkpoint.policy).load(directory), directory
    except NightshiftError as error:
        raise Unavailable(f"release {release.id[:12]} cannot be loaded: {error}") from error


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
        """A release, from disk, for answering only. Raises Unavailable where it is missing or damaged."""
        policy, directory = load_policy(ws, release)
        policy.freeze()
        return cls(ws, release.environment, policy, Calibration.read(directory), release.id)

    @classmethod
    def prompted(cls, ws: Workspace, environment: str) -> "Classifier":
        """The baseline: a fixed prompt and no training."""
        policy = ws.environment(environment).prompted_policy(ws.of(environment).settings)
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
        """One prediction an example, all of them by one call of the model.

        Latency is reading (as it took when it was read) and verdict, of all of them together. An example in company
        may differ in the last bits of its probability from one alone.
        """
        started = time.perf_counter()
        raw_NK = self.raw_logprobs(examples)
        logprobs_NK = self.calibrated(raw_NK)
        verdict_ms = (time.perf_counter() - started) * 1000
        return [
            self._prediction(example, raw_K, logprobs_K, verdict_ms, explain)
            for example, raw_K, logprobs_K in zip(examples, raw_NK, logprobs_NK, strict=True)
        ]

    def _prediction(
        self, example: Example, raw_K: Sequence[float], logprobs_K: Sequence[float], verdict_ms: float, explain: bool
    ) -> Prediction:
        answers = example.answers or ()
        best = max(range(len(logprobs_K)), key=lambda k: logprobs_K[k])
        evidence = self.policy.explain(example, self._ws.library) if explain else ()
        reason = self._reason(example, answers[best]) if explain else None
        if reason is not None:
            evidence = (*evidence, *self.environment.evidence(example, reason))
        return Prediction(
            id=new_id(),
            environment=example.environment,
            example=example.id,
            answer=answers[best],
            reason=reason,
            probability=math.exp(raw_K[best]),
            confidence=math.exp(logprobs_K[best]),
            answer_logprobs=tuple(logprobs_K),
            evidence=evidence,
            release=self.release_id,
            latency_ms=round(verdict_ms, 1),
        )

    def _reason(self, example: Example, answer: str) -> str | None:
        """What the student writes behind its answer, where its environment has reasons."""
        form = self.environment.answer_form
        if form is None:
            return None
        opening = f"{answer}\n"
        room = self._ws.of(example.environment).settings.learning.max_new_tokens
        only = form.model_copy(update={"openings": (opening,)})
        sampling = Sampling(temperature=0.0, max_new_tokens=room, form=only)
        (written,) = self.policy.generate([example], self._ws.library, run="", samples=1, sampling=sampling)
        return str(written.answer).removeprefix(opening)


def take_in(ws: Workspace, data: bytes, *, name: str | None, source: str | None, session: str | None) -> Media:
    """Checks, redacts and stores a picture. Raises ImageRefused with the reason, and then nothing is stored.

    A file that came in lately, and is still here, is not looked at again.
    """
    known = ws.library.taken_in(data, name)
    if known is not None:
        return known
    told = ws.settings
    media, png, reading = taken_in(data, told.media, told.redaction, name=name, source=source, session=session)
    ws.blobs.put(media.blob, png)
    ws.store.add(media)
    # The same picture may have been erased between these two: its record is then new, and its file is wanted again.
    if not ws.blobs.exists(media.blob):
        ws.blobs.put(media.blob, png)
    ws.library.remember(media, data, name)
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
) -> Prediction:
    """Takes a picture in, answers, and stores the prediction before returning it.

    Raises NightshiftError for a picture or question that is refused; nothing is stored then.
    """
    classifier.environment.example(("unchecked",), ask, cluster="")
    started = time.perf_counter()
    media = take_in(ws, data, name=name, source=source, session=session)
    example = classifier.environment.example((media.id,), ask, cluster=ws.clusters.cluster(media.id))
    return answer_and_log(ws, classifier, example, started, session=session)


def answer_and_log(
    ws: Workspace, classifier: Classifier, example: Example, started: float, *, session: str | None
) -> Prediction:
    """Answers an example whose pictures were taken in, and stores the prediction; `started` is when that began, by
    `time.perf_counter`. Raises NightshiftError where it was erased meanwhile."""
    (answered,) = classifier.predict([example])
    took_ms = round((time.perf_counter() - started) * 1000, 1)
    answered = answered.model_copy(update={"latency_ms": took_ms, "session": session})
    (logged,) = log_predictions(ws, [(example, answered)])
    if logged is None:
        raise NightshiftError(ERASED_MEANWHILE)
    return logged


def log_predictions(ws: Workspace, said: Sequence[tuple[Example, Prediction]]) -> list[Prediction | None]:
    """Stores examples and their predictions in one transaction; returns the predictions once they are committed.

    Where a person's word stands, it answers. None stands for one that was left out: its screen was erased meanwhile,
    and what this process had of it is let go of.
    """
    words = standing_words(ws, {example.id for example, _ in said})
    answered = [
        (example, _in_a_persons_words(ws, example, prediction, words.get(example.id))) for example, prediction in said
    ]
    late = ws.store.add_unless_erased(*(record for pair in answered for record in pair))
    for example, predicted in answered:
        if predicted.id in late:
            ws.library.forget(example.media)
            for media in example.media:
                ws.cache.forget(media)
    return [None if predicted.id in late else predicted for _, predicted in answered]


def _in_a_persons_words(ws: Workspace, example: Example, prediction: Prediction, word: Correction | None) -> Prediction:
    if word is None or word.answer == CANNOT_TELL:
        return prediction
    said: dict[str, object] = {"answer": word.answer, "probability": 1.0, "confidence": 1.0, "from_person": True}
    if prediction.reason is not None:
        said["reason"] = word.reason
        said["evidence"] = ws.environment(prediction.environment).evidence(example, word.reason or "")
    return prediction.model_copy(update=said)
