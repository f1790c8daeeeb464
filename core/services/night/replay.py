"""What replay holds of people's words: how urgent each is, and whose it is; of too many, a sample.

All of it follows from the snapshot and the settings that the night began with, so that a night which was killed draws
the same again.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.learning import Crowd, codes_of, sampled, share_capped
from core.schema import CANNOT_TELL, ChosenBy, Example, Label, Prediction, Run
from core.services.disputes import question_of
from core.services.night.ingest import Snapshot
from core.services.priorities import Memory, Words
from core.services.workspace import Workspace

__all__ = ["Remembered", "fresh_priority", "remembered"]

PAGE = 64
"Inputs that are looked at between two renewals of the lease."


@dataclass(frozen=True)
class Remembered:
    """A label to train on."""

    label: Label
    example: Example
    priority: float
    base: float
    "The same without what makes it urgent: how far its reviewer is trusted, beside others."
    application: str
    is_new: bool
    "Said since the last finished night."

    @property
    def of_item(self) -> dict[str, Any]:
        """The fields of a training item that say all this."""
        return {
            "origin": "correction" if self.is_new else "replay",
            "priority": self.priority,
            "base": self.base,
            "application": self.application,
            "reviewer": self.label.reviewer,
        }


def remembered(ws: Workspace, run: Run, known: Snapshot, renew: Callable[[], object]) -> list[Remembered]:
    """Labels to train on, newest first: at most `learning.replay_depth`, and no more than a training can draw.

    Of more labels it is a sample. A label comes into it the likelier the more urgent it is, within the shares of its
    application and of its reviewer, and is then drawn the less often for it; so over nights every label is drawn as
    often as without sampling. `renew` is called now and then while pictures are looked at.
    """
    learning = ws.settings.learning
    labels = known.train[::-1]
    if not labels:
        return []
    words = _words(ws, known, labels)
    answers = len(ws.environment(run.environment).answers or ())
    with Memory(words, answers=answers) as memory:
        found = memory.refresh(ws.settings.replay, after_seq=int(str(run.config["after_seq"])))
    priority_N, base_N = found.priority_N[: len(labels)], found.base_N[: len(labels)]
    applications = _applications(ws, run, [known.examples[label.example] for label in labels], renew)
    crowds = (
        Crowd(codes_of(applications), learning.application_share),
        Crowd(words.reviewer_N[: len(labels)], learning.reviewer_share),
    )
    probabilities_N = share_capped(priority_N / priority_N.sum(), np.arange(len(labels)), crowds)
    most = min(learning.replay_depth, learning.steps * learning.batch_size)
    sample = sampled(probabilities_N, most, run.seed)
    new = {label.example for label in known.new}
    return [
        Remembered(
            label=labels[place],
            example=known.examples[labels[place].example],
            priority=float(priority_N[place] / inclusion),
            base=float(base_N[place] / inclusion),
            application=applications[place],
            is_new=labels[place].example in new,
        )
        for place, inclusion in zip(sample.places.tolist(), sample.inclusion.tolist(), strict=True)
    ]


def fresh_priority(ws: Workspace) -> float:
    """Of a word that is said while the night trains: all that is known of it is that it is new."""
    return 1.0 + ws.settings.replay.recency + ws.settings.replay.novelty


def _applications(ws: Workspace, run: Run, examples: Sequence[Example], renew: Callable[[], object]) -> list[str]:
    """Of each example. Examples of one input share it; what is read off a picture for it is kept with its reading."""
    bound, found = ws.environment(run.environment), dict[tuple[str, ...], str]()
    for example in examples:
        if example.media not in found:
            found[example.media] = bound.application(example, ws.library)
            if len(found) % PAGE == 0:
                renew()
    return [found[example.media] for example in examples]


def _words(ws: Workspace, known: Snapshot, labels: Sequence[Label]) -> Words:
    """These labels, in their order, and behind them all that was said besides, for what it tells of the reviewers."""
    ids = {label.correction for label in labels}
    besides = {word.correction: word for word in (*known.labels, *known.disputed, *known.voices)}
    others = [
        word
        for word in besides.values()
        if word.correction not in ids and word.answer != CANNOT_TELL and word.example in known.examples
    ]
    words = [*labels, *others]
    examples = [known.examples[word.example] for word in words]
    differs_N, doubt_N = np.zeros(len(words), dtype=bool), np.zeros(len(words))
    asked = {label.prediction for label in labels if label.prediction}
    said = {each.id: each for each in ws.store.find(Prediction, id=asked)} if asked else {}
    for place, label in enumerate(labels):
        verdict = said.get(label.prediction or "")
        if verdict is not None and not verdict.from_person:
            differs_N[place] = verdict.answer != label.answer
            doubt_N[place] = doubt_of(verdict, len(known.examples[label.example].answers or ()))
    return Words(
        question_N=_numbers(question_of(example) for example in examples),
        cluster_N=_numbers(example.cluster or example.id for example in examples),
        reviewer_N=_numbers(word.reviewer for word in words),
        answer_N=_numbers(str(word.answer) for word in words),
        seq_N=np.array([word.seq for word in words], dtype=np.int64),
        settles_N=np.array([word.chosen_by is ChosenBy.DISPUTE for word in words], dtype=bool),
        is_label_N=np.arange(len(words)) < len(labels),
        differs_N=differs_N,
        doubt_N=doubt_N,
    )


def doubt_of(verdict: Prediction, answers: int) -> float:
    """0 for a verdict that is sure, 1 for one that is no surer than a guess among so many answers."""
    return min(1.0, (1 - verdict.confidence) * answers / (answers - 1)) if answers > 1 else 1 - verdict.confidence


def _numbers(names: Iterable[object]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """A number for each different name, from 0 on, in the order in which they come."""
    known: dict[object, int] = {}
    return np.array([known.setdefault(name, len(known)) for name in names], dtype=np.int64)
