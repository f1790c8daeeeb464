"""What the judge thinks of one verdict, when somebody asks."""

from datetime import timedelta

from core.judge import Judge
from core.schema import Example, Judgment, now
from core.services.judging import judge_examples, stored_judgments
from core.services.predictions import prediction
from core.services.workspace import Workspace

__all__ = ["judge_prediction", "judged_before"]

BUDGET_OF = timedelta(days=1)
"Opinions count toward the judge's budget together with what else it was asked in so much time."


def judge_prediction(ws: Workspace, teacher: Judge, prediction_id: str) -> Judgment:
    """The judge's judgment on a prediction's example, stored; what was judged before is not asked again.

    Raises NightshiftError for an id that is no prediction.
    """
    example = _example(ws, prediction_id)
    judged = judge_examples(ws.store, teacher, [example], ws.library, since=now() - BUDGET_OF)
    return judged.of_example[example.id]


def judged_before(ws: Workspace, teacher: Judge, prediction_id: str) -> Judgment | None:
    """The same where it is in the store; nobody is asked."""
    example = _example(ws, prediction_id)
    return stored_judgments(ws.store, teacher, [example]).get(example.id)


def _example(ws: Workspace, prediction_id: str) -> Example:
    (example,) = ws.store.get_many(Example, [prediction(ws, prediction_id).example])
    return example
