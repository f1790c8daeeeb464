"""What sets waiting examples apart: how unlike they are to all that people answered, and whether their kind is new.

An example's vector is that of the text on its pictures beside that of what is asked, so a cosine of two examples is
the mean of two cosines. Nothing of a student is in it: what it does not know yet must not look familiar to it.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import timedelta

import numpy as np
import numpy.typing as npt

from core.evaluation.drift import lately_log_odds
from core.reading.encoder import text_encoder
from core.schema import CANNOT_TELL, Example, NightshiftError, Prediction, Signal, content_id, now
from core.services.workspace import Workspace

__all__ = ["Signals"]

NEWEST = 2_000
"Waiting examples that are looked at, and answered ones that they are held against."
STEP = 50
"After so many further answers everything that waits is held against them anew."
COMPARED = 300
"Inputs of each time that drift is looked for in."
REMEMBERED = 10_000
TOKENS = 256

Vectors = npt.NDArray[np.float32]


class Signals:
    """Finds out, for one environment, what sets waiting examples apart; remembers vectors from look to look."""

    def __init__(self, ws: Workspace, environment: str, stopped: Callable[[], bool] = lambda: False) -> None:
        """`stopped` is asked between two examples whether to leave off."""
        self._ws, self._stopped = ws, stopped
        self._environment = ws.environment(environment)
        self._vectors: OrderedDict[str, npt.NDArray[np.float32]] = OrderedDict()
        self._seen: tuple[int, int] | None = None
        "The last word and prediction when nothing was left to do."

    def refresh(self, limit: int = 100) -> int:
        """Stores the signals of up to `limit` examples that lack them; how many those were."""
        name = self._environment.name
        present = (self._ws.store.head(name), self._ws.store.last_seq(Prediction, name))
        if present == self._seen:
            return 0
        answered = [word.example for word in self._ws.store.labels(name) if word.answer != CANNOT_TELL]
        basis = len(answered) // STEP * STEP
        waiting = self._ws.store.without_signal(name, basis, newest=NEWEST, limit=limit)
        if not waiting:
            self._seen = present
            return 0
        examples = self._readable(self._ws.store.get_many(Example, waiting))
        novelty = self._novelty(examples, answered[-NEWEST:])
        drift = self._drift()
        if self._stopped():
            return 0
        self._ws.store.add(
            *(
                Signal(
                    id=content_id("signal", example.id, basis),
                    environment=name,
                    example=example.id,
                    domain=self._environment.domain(example),
                    novelty=round(float(distance), 4),
                    drift=drift.get(example.id),
                    basis=basis,
                )
                for example, distance in zip(examples, novelty, strict=True)
            )
        )
        return len(examples)

    def _novelty(self, examples: Sequence[Example], answered: Sequence[str]) -> npt.NDArray[np.float64]:
        """Float[N]: cosine distance of each example to the nearest answered one."""
        known = self._readable(self._ws.store.get_many(Example, answered))
        if not known or not examples:
            return np.ones(len(examples))
        likeness_NM = self._of(examples) @ self._of(known).T
        return np.asarray(1.0 - likeness_NM.max(axis=1), dtype=np.float64)

    def _drift(self) -> dict[str, float]:
        """Log-odds of the examples of the last days, by id; empty where they are as those before were."""
        border = now() - timedelta(days=self._ws.settings.review.drift_days)
        recent = self._ws.store.find(
            Prediction, environment=self._environment.name, limit=4 * COMPARED, newest_first=True
        )
        late = list(dict.fromkeys(said.example for said in recent if said.at >= border))[:COMPARED]
        early = list(dict.fromkeys(said.example for said in recent if said.at < border and said.example not in late))
        sides = [self._readable(self._ws.store.get_many(Example, side)) for side in (early[:COMPARED], late)]
        if not all(sides):
            return {}
        log_odds = lately_log_odds(*(self._of(side) for side in sides))
        if log_odds is None:
            return {}
        return {example.id: round(float(odds), 4) for example, odds in zip(sides[1], log_odds, strict=True)}

    def _of(self, examples: Sequence[Example]) -> Vectors:
        """Float[N, 2 D] of examples that can be read, each row of length 1."""
        return np.stack([self._vector(example) for example in examples])

    def _vector(self, example: Example) -> npt.NDArray[np.float32]:
        if example.id not in self._vectors:
            text = "\n".join(self._ws.library.reading(media).text for media in example.media)
            (shown,) = text_encoder().embed([text], TOKENS)
            (asked,) = text_encoder().embed([example.ask])
            self._vectors[example.id] = (np.concatenate([shown, asked]) / np.sqrt(2)).astype(np.float32)
            while len(self._vectors) > REMEMBERED:
                self._vectors.popitem(last=False)
        return self._vectors[example.id]

    def _readable(self, examples: Sequence[Example]) -> list[Example]:
        """Those whose pictures are here: one that is being erased is left out."""
        found = []
        for example in examples:
            if self._stopped():
                return []
            try:
                self._vector(example)
            except NightshiftError:
                continue
            found.append(example)
        return found
