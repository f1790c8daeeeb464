"""What the two clients share: the calls there are, how long to be patient, and what a refusal is."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import httpx
from pydantic import BaseModel

from app.wire import BatchAnswer, ExplanationAnswer, FeedbackAnswer, PredictionAnswer, PredictionPage, ScreenWord
from core.schema import new_id

__all__ = ["Call", "Calls", "Patience", "Problem"]

Answer = TypeVar("Answer", bound=BaseModel)
TRY_AGAIN = (429, 502, 503)
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 60.0


class Problem(Exception):
    """What the server refused: its status (None where it could not be reached), its words, and the request's id.

    `is_ours` says whether a Nightshift wrote it, and not what stands before one: a proxy, or a page for signing in.
    """

    def __init__(
        self, status: int | None, detail: str, request_id: str | None = None, *, is_ours: bool = False
    ) -> None:
        super().__init__(detail if status is None else f"{status}: {detail}")
        self.status, self.detail, self.request_id, self.is_ours = status, detail, request_id, is_ours


@dataclass(frozen=True)
class Call(Generic[Answer]):
    """A request that may be sent more than once, and what comes back."""

    method: str
    path: str
    answer: type[Answer]
    options: dict[str, Any] = field(default_factory=dict)
    "As httpx takes them."

    def read(self, response: httpx.Response) -> Answer:
        """The answer. Raises Problem for a refusal."""
        if response.is_success:
            return self.answer.model_validate_json(response.content)
        request_id = response.headers.get("X-Request-Id")
        try:
            detail = str(response.json()["detail"])
            is_ours = request_id is not None
        except (ValueError, KeyError, TypeError):
            detail, is_ours = response.text[:200] or response.reason_phrase, False
        raise Problem(response.status_code, detail, request_id, is_ours=is_ours)


class Patience:
    """How often one call is sent, and how long to wait in between."""

    def __init__(self, attempts: int) -> None:
        self._left = attempts - 1
        self._pause_s = FIRST_PAUSE_S

    def pause_s(self, outcome: httpx.Response | httpx.TransportError) -> float | None:
        """Seconds to wait before the call is sent again; None where this outcome is the last word."""
        if isinstance(outcome, httpx.Response) and outcome.status_code not in TRY_AGAIN:
            return None
        if self._left <= 0:
            return None
        self._left -= 1
        asked = outcome.headers.get("Retry-After", "") if isinstance(outcome, httpx.Response) else ""
        pause_s = float(asked) if asked.isdecimal() else self._pause_s
        self._pause_s *= 2
        # Jitter keeps clients that were sent away together from coming back together.
        return min(LONGEST_PAUSE_S, pause_s * random.uniform(1.0, 1.3))


class Calls:
    """Every call of the API, for one environment."""

    def __init__(self, environment: str) -> None:
        self._environment = environment

    def classifying(
        self, picture: bytes, work: str, session: str | None, deadline_ms: int | None
    ) -> Call[PredictionAnswer]:
        headers = {} if deadline_ms is None else {"X-Deadline-Ms": str(deadline_ms)}
        options = {"files": {"image": picture}, "data": _given(work=work, session=session), "headers": headers}
        return Call("POST", f"/v1/{self._environment}/predictions", PredictionAnswer, options)

    def classifying_many(
        self, pictures: Sequence[bytes], work: str | Sequence[str], session: str | None
    ) -> Call[BatchAnswer]:
        works = [work] if isinstance(work, str) else list(work)
        options = {"files": [("image", picture) for picture in pictures], "data": _given(work=works, session=session)}
        return Call("POST", f"/v1/{self._environment}/predictions/batch", BatchAnswer, options)

    def correcting(self, prediction_id: str, label: str, reason: str | None, key: str | None) -> Call[FeedbackAnswer]:
        return self._about(_given(prediction_id=prediction_id, label=label, reason=reason), key)

    def undoing(self, prediction_id: str, key: str | None) -> Call[FeedbackAnswer]:
        return self._about({"prediction_id": prediction_id, "undo": True}, key)

    def correcting_screen(
        self, picture: bytes, work: str, label: str, reason: str | None, key: str | None
    ) -> Call[ScreenWord]:
        told = _given(work=work, label=label, reason=reason)
        options = {"files": {"image": picture}, "data": told, "headers": _once(key)}
        return Call("POST", f"/v1/{self._environment}/feedback", ScreenWord, options)

    def looking_up(self, prediction_id: str) -> Call[PredictionAnswer]:
        return Call("GET", f"/v1/predictions/{prediction_id}", PredictionAnswer)

    def explaining(self, prediction_id: str) -> Call[ExplanationAnswer]:
        return Call("GET", f"/v1/predictions/{prediction_id}/explanation", ExplanationAnswer)

    def paging(
        self, session: str | None, release: str | None, from_person: bool | None, before: int | None
    ) -> Call[PredictionPage]:
        asked = _given(
            environment=self._environment, session=session, release=release, from_person=from_person, before=before
        )
        return Call("GET", "/v1/predictions", PredictionPage, {"params": asked})

    def _about(self, told: dict[str, Any], key: str | None) -> Call[FeedbackAnswer]:
        return Call("POST", "/v1/feedback", FeedbackAnswer, {"json": told, "headers": _once(key)})


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _once(key: str | None) -> dict[str, str]:
    """However often the call is sent, it is the same word."""
    return {"Idempotency-Key": key or new_id()}
