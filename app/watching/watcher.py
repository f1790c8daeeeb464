"""Captures, skips what did not change, has the rest answered, and takes a person's word; a thread of its own sends."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from PIL import Image

from app.watching.answerers import Answerer, Away, Refused, Verdict
from app.watching.capture import change_between, png_of
from app.watching.spool import Spool, Waiting
from core.schema import NightshiftError

__all__ = ["Counts", "Unheard", "Watcher"]

logger = logging.getLogger(__name__)

CHANGED = 0.005
"Share of the screen that has to change."
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
"Between tries while nobody answers."


@dataclass
class Counts:
    """What became of everything so far."""

    screens: int = 0
    unchanged: int = 0
    answered: int = 0
    refused: int = 0
    "Screens that are never answered."
    corrections: int = 0
    undone: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)


class Unheard(NamedTuple):
    """A person's word that is not stored, and never will be."""

    prediction_id: str
    label: str | None
    "None takes the last word back."
    why: str


class Watcher:
    """One sitting. `answers` are the two that a verdict may have; the other one is what a correction means."""

    def __init__(
        self,
        grab: Callable[[], Image.Image],
        answerer: Answerer,
        spool: Spool,
        *,
        work: str,
        session: str,
        answers: tuple[str, ...],
        longest_side: int,
        as_kept: Callable[[bytes], bytes] = bytes,
    ) -> None:
        """`as_kept` makes of a picture what may lie on disk; it raises NightshiftError where nothing of it may."""
        self.grab, self.answerer, self.spool = grab, answerer, spool
        self.work, self.session, self.answers, self.longest_side = work, session, answers, longest_side
        self.as_kept = as_kept
        self.counts = Counts()
        self.last: Verdict | None = None
        self.word: str | None = None
        "What was said of the last verdict, by the person who watches."
        self.unheard: list[Unheard] = []
        self.away: str | None = None
        "Why nobody answers, while nobody does."
        self.ended: NightshiftError | None = None
        "Why it cannot go on."
        self._before: Image.Image | None = None
        self._something_waits = threading.Event()
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._sender = threading.Thread(target=copy_context().run, args=(self._send_all,), name="watch", daemon=True)
        "In the name of whoever watches."

    def start(self) -> None:
        """Begins to send, with what an earlier sitting left behind."""
        self._something_waits.set()
        self._sender.start()

    def look(self) -> bool:
        """Captures once; whether the screen is new and waits for its verdict. Raises NightshiftError."""
        image = self.grab()
        self.counts.screens += 1
        if self._before is not None and change_between(self._before, image) < CHANGED:
            self.counts.unchanged += 1
            return False
        self._before = image
        try:
            picture = self.as_kept(png_of(image, self.longest_side))
        except NightshiftError:
            self.counts.refused += 1
            return False
        self.spool.add_screen(picture, {"work": self.work, "session": self.session})
        self._something_waits.set()
        return True

    def correct(self) -> str | None:
        """Says that the other answer is right for the last verdict; which, or None where nothing is to be corrected."""
        with self._lock:
            if self.last is None or self.word is not None:
                return None
            self.word = next(answer for answer in self.answers if answer != self.last.answer)
            self._say(self.last.prediction_id, self.word)
            self.counts.corrections += 1
            return self.word

    def undo(self) -> bool:
        """Takes back what was said of the last verdict; whether there was anything."""
        with self._lock:
            if self.last is None or self.word is None:
                return False
            self._say(self.last.prediction_id, None)
            self.word = None
            self.counts.undone += 1
            return True

    def stop(self, patience_s: float) -> None:
        """Waits so long for what is still to be answered; the rest stays on disk for the next sitting."""
        until = time.monotonic() + patience_s
        while self.spool.waiting() and self.ended is None and time.monotonic() < until:
            time.sleep(0.05)
        self._over.set()
        self._something_waits.set()
        self._sender.join(max(0.0, until - time.monotonic()) + 0.1)
        self.spool.close()

    def told(self) -> dict[str, Any]:
        """All of it; JSON-ready."""
        counts, last = self.counts, self.last
        return {
            "session": self.session,
            "work": self.work,
            "screens": counts.screens,
            "unchanged": counts.unchanged,
            "answered": counts.answered,
            "verdicts": dict(counts.verdicts),
            "corrections": counts.corrections,
            "undone": counts.undone,
            "waiting": len(self.spool.waiting()),
            "dropped": self.spool.dropped,
            "refused": counts.refused,
            "unheard": [each._asdict() for each in self.unheard],
            "away": self.away,
            "last": last._asdict() if last else None,
        }

    def _say(self, prediction_id: str, label: str | None) -> None:
        self.spool.add_word({"prediction_id": prediction_id, "label": label})
        self._something_waits.set()

    def _send_all(self) -> None:
        pause_s = FIRST_PAUSE_S
        while not self._over.is_set():
            self._something_waits.wait()
            self._something_waits.clear()
            try:
                for each in self.spool.waiting():
                    if self._over.is_set():
                        return
                    self._send(each)
                    self.away, pause_s = None, FIRST_PAUSE_S
            except NightshiftError as error:
                self.ended = error
                return
            except Exception as error:
                # Were this thread to die, screens would be captured on and on and none be answered.
                if not isinstance(error, Away):
                    logger.exception("what waits could not be sent; it is tried again")
                self.away = str(error) or type(error).__name__
                self._something_waits.set()
                self._over.wait(pause_s)
                pause_s = min(LONGEST_PAUSE_S, 2 * pause_s)

    def _send(self, each: Waiting) -> None:
        try:
            if each.picture is not None:
                try:
                    picture = each.picture.read_bytes()
                except FileNotFoundError:
                    return  # it made room for newer ones since it was listed
                self._keep(self.answerer.classify(picture, each.told["work"], each.told["session"], each.id))
            else:
                self.answerer.say(each.told["prediction_id"], each.told["label"], each.id)
        except Refused as error:
            self._give_up(each, str(error))
        self.spool.done(each.id)

    def _give_up(self, each: Waiting, why: str) -> None:
        if each.is_screen:
            self.counts.refused += 1
            return
        word = Unheard(each.told["prediction_id"], each.told["label"], why)
        with self._lock:
            self.unheard.append(word)
            if self.last is not None and (self.last.prediction_id, self.word) == word[:2]:
                self.word = None

    def _keep(self, verdict: Verdict) -> None:
        with self._lock:
            self.last, self.word = verdict, None
            self.counts.answered += 1
            self.counts.verdicts[verdict.answer] += 1
