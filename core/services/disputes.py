"""Where people's words contradict each other: found, shown to people, and kept out of training until one settles it.

Two things are a dispute. Several persons answered the same example, and their last words differ. Or near-duplicates
that are asked the same have labels that differ, whoever gave them. A word said to settle a dispute (`ChosenBy.DISPUTE`)
ends it for its example, until somebody else contradicts that. So does it where people come to agree, or take back what
they said.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple
from weakref import WeakKeyDictionary

from pydantic import BaseModel, ConfigDict, JsonValue

from core.schema import CANNOT_TELL, ChosenBy, Correction, Example, Label, NightshiftError, Prediction
from core.services.feedback import label_example
from core.services.workspace import Workspace

__all__ = [
    "Dispute",
    "disputed",
    "disputes",
    "known_disputes",
    "question_of",
    "settle",
    "touched_since",
    "undisputed",
]


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


class _Known(NamedTuple):
    """Disputes by example, as of these words."""

    last_seq: int
    erased: int
    "Words that were erased before: numbers given out that no row has."
    disputes: dict[str, Dispute]


_KNOWN: WeakKeyDictionary[Workspace, dict[str, _Known]] = WeakKeyDictionary()


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


def touched_since(ws: Workspace, environment: str, after_seq: int) -> set[str]:
    """Examples that something was said of, or taken back, since this word, and all that is asked as they are.

    Whether any other example is in dispute, and what its label is, is as it was then.
    """
    said = {word.example for word in ws.store.find(Correction, environment=environment, after_seq=after_seq)}
    examples = ws.store.find(Example, id=said) if said else []
    clusters, questions = {each.cluster for each in examples if each.cluster}, {question_of(each) for each in examples}
    near = ws.store.find(Example, environment=environment, cluster=clusters) if clusters else []
    return said | {each.id for each in near if question_of(each) in questions}


def disputes(ws: Workspace, environment: str, examples: Collection[str] | None = None) -> list[Dispute]:
    """Every open dispute, the one longest open first.

    `examples`: those about these alone; with an example these hold all that is asked as it is.
    """
    words = ws.store.labels(environment, examples=examples)
    labels, voices = (
        [word for word in words if word.answer != CANNOT_TELL],
        ws.store.voices(environment, examples=examples),
    )
    about = {each.id: each for each in ws.store.get_many(Example, [label.example for label in labels])}
    found = disputed(labels, about, voices)
    if not found:
        return []
    by_question: dict[tuple[str, str], list[Label]] = {}
    for label in labels:
        by_question.setdefault(question_of(about[label.example]), []).append(label)
    by_example: dict[str, list[Label]] = {}
    for voice in voices:
        by_example.setdefault(voice.example, []).append(voice)
    newest = {said.example: said.id for said in ws.store.find(Prediction, example=found, from_person=False)}
    told = []
    for label in labels:
        if label.example in found:
            said = by_example.get(label.example, [label])
            near = by_question[question_of(about[label.example])]
            others = tuple(each for each in near if each.example != label.example and each.answer != label.answer)
            example = about[label.example]
            told.append(Dispute(example=example, words=said, others=others, prediction=newest.get(example.id)))
    return told


def known_disputes(ws: Workspace, environment: str) -> dict[str, Dispute]:
    """`disputes` by example. After new words only what these touch is looked at again, after an erasure everything."""
    ((last_seq, rows),) = ws.store.heads(Correction)
    erased = last_seq - rows
    known = _KNOWN.setdefault(ws, {})
    before = known.get(environment)
    if before is None or before.erased != erased or before.last_seq > last_seq:
        known[environment] = _Known(last_seq, erased, _by_example(disputes(ws, environment)))
    elif before.last_seq < last_seq:
        touched = touched_since(ws, environment, before.last_seq)
        stay = [each for id, each in before.disputes.items() if id not in touched]
        found = sorted([*stay, *disputes(ws, environment, touched)], key=lambda each: each.words[-1].seq)
        known[environment] = _Known(last_seq, erased, _by_example(found))
    return known[environment].disputes


def _by_example(found: Sequence[Dispute]) -> dict[str, Dispute]:
    return {each.example.id: each for each in found}


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
