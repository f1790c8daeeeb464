"""Who answers a captured screen: this process, or a server."""

import ipaddress
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

from pydantic import ValidationError

from app.client import Nightshift, Problem
from core.schema import NightshiftError, Unavailable

__all__ = ["Answerer", "Away", "Here", "Refused", "Server", "Verdict"]

TIMEOUT_S = 60.0
NEVER = (400, 409, 413, 415, 422)
"Statuses after which the same request never goes well, where a Nightshift says so."
NOT_THERE = 404
"For a word: what it is about was erased."


class Away(Exception):
    """Nobody answers now; it may be tried again."""


class Refused(NightshiftError):
    """It will never be taken."""


class Verdict(NamedTuple):
    """What was answered to a screen."""

    prediction_id: str
    answer: str
    confidence: float
    from_person: bool


class Answerer(Protocol):
    """Both methods raise Away, and Refused; NightshiftError for what ends the watching."""

    def classify(self, picture: bytes, work: str, session: str, key: str) -> Verdict:
        """A stored verdict."""

    def say(self, prediction_id: str, label: str | None, key: str) -> None:
        """Stores a word; None takes the last one back."""


class Here:
    """The champion of a home, in this process: nothing leaves the machine."""

    def __init__(self, home: Path | None, environment: str) -> None:
        """Raises NightshiftError for a home that cannot be opened."""
        from core.services import Workspace

        self._ws, self._environment = Workspace.open(home), environment
        self._classifier: Any = None

    def classify(self, picture: bytes, work: str, session: str, key: str) -> Verdict:  # noqa: ARG002
        from core.services import Classifier, classify

        with _told_here():
            champion = self._ws.store.champion(self._environment)
            if self._classifier is None or self._classifier.release_id != champion:
                self._classifier = Classifier.of_champion(self._ws, self._environment)
            self._ws.let_go_of_erased()
            said = classify(self._ws, self._classifier, picture, work, source="watch", session=session)
        return Verdict(said.id, str(said.answer), said.confidence, said.from_person)

    def say(self, prediction_id: str, label: str | None, key: str) -> None:
        from core.services import correct, undo

        with _told_here():
            if label is None:
                undo(self._ws, prediction_id, key=key)
            else:
                correct(self._ws, prediction_id, label, key=key)


class Server:
    """A Nightshift elsewhere, which gets the screens."""

    def __init__(self, url: str, token: str | None, environment: str) -> None:
        """Raises NightshiftError for an address that is none, or would carry screens and token in the clear."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise NightshiftError(f"{url!r} is no address of a server; write https://nightshift.example.org")
        if parts.scheme == "http" and not _is_this_machine(parts.hostname):
            raise NightshiftError(f"{url} would carry the screens and the token in the clear; use https://")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = Nightshift(url, environment=environment, timeout_s=TIMEOUT_S, attempts=1, headers=headers)

    def classify(self, picture: bytes, work: str, session: str, key: str) -> Verdict:  # noqa: ARG002
        with _told(NEVER):
            said = self._client.classify(picture, work, session=session)
        return Verdict(said.prediction_id, str(said.verdict), said.confidence, said.from_person)

    def say(self, prediction_id: str, label: str | None, key: str) -> None:
        with _told((*NEVER, NOT_THERE)):
            if label is None:
                self._client.undo(prediction_id, key=key)
            else:
                self._client.correct(prediction_id, label, key=key)


@contextmanager
def _told_here() -> Iterator[None]:
    try:
        yield
    except Unavailable as error:
        raise Away(str(error)) from error
    except NightshiftError as error:
        raise Refused(str(error)) from error


@contextmanager
def _told(never: Collection[int]) -> Iterator[None]:
    """What a server refuses, as what follows from it: give this one up, end, or else try again."""
    try:
        yield
    except ValidationError as error:
        raise Away("what answers there is no Nightshift") from error
    except Problem as problem:
        if problem.is_ours and problem.status in never:
            raise Refused(problem.detail) from problem
        if problem.is_ours and problem.status in (401, 403):
            raise NightshiftError(f"the server refuses the token: {problem.detail}") from problem
        raise Away(str(problem)) from problem


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
