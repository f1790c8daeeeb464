"""Where people's words contradict each other: found, shown to people, and kept out of training until one settles it.

Two things are a dispute. Several persons answered the same example, and their last words differ. Or near-duplicates
that are asked the same have labels that differ, whoever gave them. A word said to settle a dispute (`ChosenBy.DISPUTE`)
ends it for its example, until somebody else contradicts that. So does it where people come to agree, or take back what
they said.
"""

from collections.abc import Iterable, Mapping, Sequence
from weakref import WeakKeyDictionary

from pydantic import BaseModel, ConfigDict, JsonValue

from core.schema import CANNOT_TELL, ChosenBy, Correction, Example, Label, NightshiftError, Prediction
from core.services.feedback import label_example
from core.services.workspace import Workspace

__all__ = ["Dispute", "disputed", "disputes", "known_disputes", "question_of", "settle", "undisputed"]


class Dispute(BaseModel):
    """One example whose label is not trained on, and the words that do not fit together."""

    model_config = ConfigDict(frozen=True)
    example: Example
    words: tuple[Label, ...]
    "Of people about this example, oldest first; the last one is its label."
    others: tuple[Label, ...]
    "Labels of its near-duplicates that differ from its own."
    prediction: str | None
    "The newest verdict on it, by which it can be looked at; None where it was never classified."


_KNOWN: WeakKeyDictionary[Workspace, dict[str, tuple[object, dict[str, Dispute]]]] = WeakKeyDictionary()


def question_of(example: Example) -> tuple[str, str]:
    """What examples have in common that are the same to a person: near-duplicates, asked in the same words."""
    return example.cluster or example.id, " ".join(example.ask.split()).casefold()


def disputed(labels: Sequence[Label], examples: Mapping[str, Example], voices: Iterable[Label]) -> set[str]:
    """Of the examples that have one of these labels, those that are in dispute.

    `labels` are the words that stand, none of them CANNOT_TELL; `voices` what each person last said (`Store.voices`).
    """
    open_ones = {label.example for label in labels if label.chosen_by is not ChosenBy.DISPUTE}
    by_example: dict[str, list[Label]] = {}
    for voice in voices:
        by_example.setdefault(voice.example, []).append(voice)
    answers: dict[tuple[str, str], set[JsonValue]] = {}
    for label in labels:
        answers.setdefault(question_of(examples[label.example]), set()).add(label.answer)
    return {id for id in open_ones if len(answers[question_of(examples[id])]) > 1 or _differ(by_example.get(id, ()))}


def undisputed(ws: Workspace, environment: str) -> list[Label]:
    """The labels that stand and that nobody contradicts, in the order of the words; CANNOT_TELL is none."""
    labels = [label for label in ws.store.labels(environment) if label.answer != CANNOT_TELL]
    examples = {each.id: each for each in ws.store.get_many(Example, [label.example for label in labels])}
    apart = disputed(labels, examples, ws.store.voices(environment))
    return [label for label in labels if label.example not in apart]


def disputes(ws: Workspace, environment: str) -> list[Dispute]:
    """Every open dispute, the one longest open first."""
    labels = [label for label in ws.store.labels(environment) if label.answer != CANNOT_TELL]
    voices = ws.store.voices(environment)
    examples = {each.id: each for each in ws.store.get_many(Example, [label.example for label in labels])}
    found = disputed(labels, examples, voices)
    if not found:
        return []
    by_question: dict[tuple[str, str], list[Label]] = {}
    for label in labels:
        by_question.setdefault(question_of(examples[label.example]), []).append(label)
    newest = {said.example: said.id for said in ws.store.find(Prediction, example=found, from_person=False)}
    told = []
    for label in labels:
        if label.example in found:
            said = [voice for voice in voices if voice.example == label.example] or [label]
            near = by_question[question_of(examples[label.example])]
            others = tuple(each for each in near if each.example != label.example and each.answer != label.answer)
            example = examples[label.example]
            told.append(Dispute(example=example, words=said, others=others, prediction=newest.get(example.id)))
    return told


def known_disputes(ws: Workspace, environment: str) -> dict[str, Dispute]:
    """`disputes` by example, found anew only when words were said or erased since."""
    words = ws.store.heads(Correction)
    known = _KNOWN.setdefault(ws, {})
    if environment not in known or known[environment][0] != words:
        known[environment] = words, {each.example.id: each for each in disputes(ws, environment)}
    return known[environment][1]


def settle(
    ws: Workspace,
    environment: str,
    example: str,
    answer: JsonValue,
    *,
    reason: str | None = None,
    reviewer: str | None = None,
) -> Correction:
    """Stores `acting()`'s word that ends the dispute about an example. Raises NightshiftError where there is none."""
    about = next((each for each in disputes(ws, environment) if each.example.id == example), None)
    if about is None:
        raise NightshiftError(f"people do not contradict each other on example {example!r}; there is nothing to settle")
    return label_example(
        ws,
        environment,
        example,
        answer,
        prediction=about.prediction,
        reason=reason,
        reviewer=reviewer,
        chosen_by=ChosenBy.DISPUTE,
        audited=True,
    )


def _differ(voices: Sequence[Label]) -> bool:
    """Whether persons differ. What was imported gives way to whoever has said something since."""
    sure = [voice for voice in voices if voice.answer != CANNOT_TELL]
    here = [voice for voice in sure if voice.chosen_by is not ChosenBy.IMPORT] or sure
    return len({voice.answer for voice in here}) > 1
