"""A person's word: given, changed, taken back."""

from collections.abc import Collection

from pydantic import JsonValue

from core.access import acting, entry
from core.schema import AuditEntry, ChosenBy, Correction, NightshiftError, Role, content_id, new_id
from core.services.predictions import prediction as stored_prediction
from core.services.workspace import Workspace

__all__ = [
    "AnothersWord",
    "KeyReused",
    "NothingToUndo",
    "correct",
    "label_example",
    "may_undo",
    "standing_word",
    "standing_words",
    "take_back",
    "undo",
    "word_of",
]

MAX_REASON = 2000


class KeyReused(NightshiftError):
    """The key came with another word before."""

    def __init__(self) -> None:
        super().__init__("this idempotency key came with another word before; a new word needs a new key")


class AnothersWord(NightshiftError):
    """Somebody else gave it."""

    def __init__(self, word: Correction) -> None:
        super().__init__(f"that word is {word.reviewer!r}'s; only they, or an engineer, can take it back")


class NothingToUndo(NightshiftError):
    """Nobody has said anything about it, or everything was taken back."""

    def __init__(self, prediction_id: str) -> None:
        super().__init__(f"there is nothing to undo: nobody has answered prediction {prediction_id!r}")


def standing_word(ws: Workspace, example_id: str) -> Correction | None:
    """The last word on an example that was not taken back, or None."""
    return standing_words(ws, {example_id}).get(example_id)


def standing_words(ws: Workspace, example_ids: Collection[str]) -> dict[str, Correction]:
    """The same for many examples; those that nobody has answered are left out."""
    words = ws.store.find(Correction, example=set(example_ids))
    retracted = {word.retracts for word in words}
    return {word.example: word for word in words if word.retracts is None and word.id not in retracted}


def correct(
    ws: Workspace,
    prediction_id: str,
    answer: JsonValue,
    *,
    reason: str | None = None,
    reviewer: str | None = None,
    chosen_by: ChosenBy = ChosenBy.VOLUNTEERED,
    chosen_probability: float | None = None,
    key: str | None = None,
) -> Correction:
    """Stores a person's answer to a prediction: agreeing and correcting are the same thing. It is `acting()`'s word.

    Returns after the commit. A `key` makes it safe to say the same again: one reviewer's words under one key are one
    word. Raises NightshiftError for an unknown prediction or an answer that is not one, KeyReused for another word.
    """
    about = stored_prediction(ws, prediction_id)
    return label_example(
        ws,
        about.environment,
        about.example,
        answer,
        prediction=about.id,
        reason=reason,
        reviewer=reviewer,
        chosen_by=chosen_by,
        chosen_probability=chosen_probability,
        key=key,
        audited=True,
    )


def label_example(
    ws: Workspace,
    environment: str,
    example: str,
    answer: JsonValue,
    *,
    prediction: str | None = None,
    reason: str | None = None,
    reviewer: str | None = None,
    chosen_by: ChosenBy,
    chosen_probability: float | None = None,
    key: str | None = None,
    audited: bool = False,
) -> Correction:
    """Stores a person's answer to an example, with or without a prediction of it; `key` is as in `correct`.

    It is `acting()`'s unless a `reviewer` is named; with `audited` it comes with a line of the audit log.
    """
    word = word_of(
        ws,
        environment,
        example,
        answer,
        prediction=prediction,
        reason=reason,
        reviewer=reviewer or acting().name,
        chosen_by=chosen_by,
        chosen_probability=chosen_probability,
        key=key,
    )
    about = prediction or example
    return _stored(ws, word, key, entry("correction.given", about, once=word.id) if audited else None)


def word_of(
    ws: Workspace,
    environment: str,
    example: str,
    answer: JsonValue,
    *,
    prediction: str | None,
    reason: str | None,
    reviewer: str,
    chosen_by: ChosenBy,
    chosen_probability: float | None,
    key: str | None,
) -> Correction:
    """A person's answer as it is stored. Raises NightshiftError for one that is none, and for an endless reason."""
    if reason is not None and len(reason) > MAX_REASON:
        raise NightshiftError(f"the reason has {len(reason)} characters; at most {MAX_REASON}")
    return Correction(
        id=_word_id(reviewer, key),
        environment=environment,
        example=example,
        prediction=prediction,
        answer=ws.environment(environment).parse_answer(answer),
        reviewer=reviewer,
        reason=(reason or "").strip() or None,
        chosen_by=chosen_by,
        chosen_probability=chosen_probability,
    )


def undo(ws: Workspace, prediction_id: str, *, reviewer: str | None = None, key: str | None = None) -> Correction:
    """Takes back the word that stands for a prediction's example; the one before it stands again.

    `key` is as in `correct`. Raises NothingToUndo where nobody has said anything about it, or everything was taken
    back, and AnothersWord for one that somebody else gave, unless who acts is an engineer at least.
    """
    about = stored_prediction(ws, prediction_id)
    reviewer = reviewer or acting().name
    id = _word_id(reviewer, key)
    earlier = None if key is None else ws.store.get(Correction, id)
    if earlier is not None and earlier.example != about.example:
        raise KeyReused
    # What was taken back under this key no longer stands, so it is not to be looked for again.
    taken_back = earlier.retracts if earlier else None
    word = ws.store.get(Correction, taken_back) if taken_back else standing_word(ws, about.example)
    if word is None:
        raise NothingToUndo(prediction_id)
    if not may_undo(word, reviewer):
        raise AnothersWord(word)
    return _stored(ws, _retraction(word, reviewer, id), key, entry("correction.undone", about.id, once=id))


def may_undo(word: Correction, reviewer: str | None = None) -> bool:
    """Whether `acting()` may take a word back: their own, and from engineers on anybody's."""
    return word.reviewer == (reviewer or acting().name) or acting().role.reaches(Role.ENGINEER)


def take_back(ws: Workspace, correction_id: str, *, reviewer: str) -> Correction:
    """Takes back one word of this reviewer's; doing so twice is doing it once.

    Raises NightshiftError for an id that is no word, and for a word of somebody else's.
    """
    word = ws.store.get(Correction, correction_id)
    if word is None or word.retracts is not None:
        raise NightshiftError(f"there is no word {correction_id!r} here")
    if word.reviewer != reviewer:
        raise AnothersWord(word)
    before = ws.store.find(Correction, retracts=word.id)
    if before:
        return before[0]
    retraction = _retraction(word, reviewer, new_id())
    about = word.prediction or word.example
    return _stored(ws, retraction, None, entry("correction.undone", about, once=retraction.id))


def _retraction(word: Correction, reviewer: str, id: str) -> Correction:
    changed = {"id": id, "retracts": word.id, "reviewer": reviewer, "reason": None}
    return Correction.model_validate(word.model_copy(update=changed).model_dump(exclude={"at"}))


def _word_id(reviewer: str, key: str | None) -> str:
    return new_id() if key is None else content_id("word", reviewer, key)


def _stored(ws: Workspace, word: Correction, key: str | None, line: AuditEntry | None) -> Correction:
    """The word once it is committed, with its line; what was said under its key before, if that is the same."""
    earlier = None if key is None else ws.store.get(Correction, word.id)
    if earlier is None:
        lines = [] if line is None else [line]
        if ws.store.add(word, *lines) > len(lines):
            return word
        earlier = None if key is None else ws.store.get(Correction, word.id)
    if earlier is None:
        raise NightshiftError("the screen was erased; nothing can be said of it any more")
    if earlier.model_dump(exclude={"at"}) != word.model_dump(exclude={"at"}):
        raise KeyReused
    return earlier
