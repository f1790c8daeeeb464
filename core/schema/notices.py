"""What is told to other programs, and how the telling went."""

from enum import StrEnum
from typing import ClassVar

from pydantic import Field, JsonValue

from core.schema.base import Record

__all__ = ["Delivery", "Event", "Notice"]


class Event(StrEnum):
    """What can be told of."""

    PROMOTED = "promoted"
    REFUSED = "refused"
    ROLLED_BACK = "rolled_back"
    NIGHT_FAILED = "night_failed"
    ZOMBIE_RUN = "zombie_run"
    JUDGE_BUDGET_SPENT = "judge_budget_spent"
    DRIFT = "drift"


class Notice(Record):
    """Something happened that somebody wants to know. Its id follows from the record it tells of."""

    kind: ClassVar[str] = "notice"
    environment: str
    event: Event
    title: str
    "One line for a person."
    subject: str
    "Id of what it tells of: a promotion, a decision, a run."
    detail: dict[str, JsonValue] = Field(default_factory=dict)


class Delivery(Record):
    """One try to tell an endpoint of a notice; or the wish that it be told again."""

    kind: ClassVar[str] = "delivery"
    notice: str
    endpoint: str
    ok: bool = False
    again: bool = False
    "Somebody asked for the notice to be told again: the tries begin anew."
    status: int | None = None
    "HTTP status of the answer; None where there was none."
    error: str | None = None
