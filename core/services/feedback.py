"""A person's word: given, changed, taken back."""

from pydantic import JsonValue

from core.schema import ChosenBy, Correction, Example, NightshiftError, Prediction, new_id
from core.services.workspace import Workspace

__all__ = ["correct", "label_example", "standing_word", "undo"]

MAX_REASON = 2000


def standing_word(ws: Workspace, example_id: str) -> Correction | None:
    """The last word on an example that was not taken back, or None."""
    words = ws.store.find(Correction, example=example_id)
    retracted = {word.retracts for word in words}
    standing = [word for word in words if word.retracts is None and word.id not in retracted]
    return standing[-1] if standing else None


def correct(
    ws: Workspace,
    prediction_id: str,
    answer: JsonValue,
    *,
    reason: str | None = None,
    reviewer: str = "local",
    chosen_by: ChosenBy = ChosenBy.VOLUNTEERED,
    chosen_probability: float | None = None,
) -> Correction:
    """Stores a person's answer to a prediction: agreeing and correcting are the same thing.

    Returns after the commit. Raises NightshiftError for an unknown prediction or an answer that is not one.
    """
    about = ws.store.get(Prediction, prediction_id)
    if about is None:
        raise NightshiftError(f"there is no prediction {prediction_id!r} here")
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
    )


def label_example(
    ws: Workspace,
    environment: str,
    example: str,
    answer: JsonValue,
    *,
    prediction: str | None = None,
    reason: str | None = None,
    reviewer: str = "local",
    chosen_by: ChosenBy,
    chosen_probability: float | None = None,
) -> Correction:
    """Stores a person's answer to an example, with or without a prediction of it."""
    if reason is not None and len(reason) > MAX_REASON:
        raise NightshiftError(f"the reason has {len(reason)} characters; at most {MAX_REASON}")
    word = Correction(
        id=new_id(),
        environment=environment,
        example=example,
        prediction=prediction,
        answer=ws.environment(environment).parse_answer(answer),
        reviewer=reviewer,
        reason=(reason or "").strip() or None,
        chosen_by=chosen_by,
        chosen_probability=chosen_probability,
    )
    if not ws.store.add(word):
        raise NightshiftError("the screen was erased; nothing can be said of it any more")
    return word


def undo(ws: Workspace, prediction_id: str, *, reviewer: str = "local") -> Correction:
    """Takes back the word that stands for a prediction's example; the one before it stands again.

    Raises NightshiftError where nobody has said anything about it, or everything was taken back.
    """
    about = ws.store.get(Prediction, prediction_id)
    if about is None:
        raise NightshiftError(f"there is no prediction {prediction_id!r} here")
    word = standing_word(ws, about.example)
    if word is None:
        raise NightshiftError(f"there is nothing to undo: nobody has answered prediction {prediction_id!r}")
    retraction = word.model_copy(update={"id": new_id(), "retracts": word.id, "reviewer": reviewer, "reason": None})
    retraction = Correction.model_validate(retraction.model_dump(exclude={"at"}))
    ws.store.add(retraction)
    return retraction


def example_of(ws: Workspace, prediction: Prediction) -> Example:
    """The example a prediction answered."""
    (example,) = ws.store.get_many(Example, [prediction.example])
    return example
