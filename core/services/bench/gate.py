"""The shipped gate over nights that never were: how often it is wrong, and how often it sees what is there.

A home begins with golden examples and some cross-fitted feedback, and lives through nights. Every night people label
100 more, a challenger is drawn around the champion, and the shipped `decide` says what becomes of it, every check on;
promising ones are frozen and the shipped `decide_frozen` looks at them again, as in a real night. All nights of a home
look at the same golden examples, and adapt to them: a night's challenger keeps most answers of the one that looked
best so far, on the examples that made it look so.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from core.evaluation import PRIMARY, decide, decide_frozen, is_promising
from core.schema import Decision, GateResult, Outcome
from core.services.bench.people import Challenger, People, World, evaluations
from core.services.importing import Progress
from core.settings import GateSettings

__all__ = ["NIGHTS", "bench_gate"]

NIGHTS = 2_000
SEVERAL = 5
DRIFT = 100
LIKENESS = 0.7
"Chance that an answer of tonight's challenger is the one of the best so far."
SETTINGS = GateSettings()
SOUND = [GateResult(name="reloads", value=1.0, bound=1.0, passed=True)]


@dataclass(frozen=True)
class Cell:
    """One way of things."""

    name: str
    gain: float
    "By how much every challenger is truly better."
    nights: int = SEVERAL
    golden: int = 400
    golden_blind: float = 0.5
    "Share of the golden examples that was drawn blindly; the rest was reported, mistakes 8 times likelier."
    crossfit: int = 200
    "Feedback before the first night; as much of it is blind as of a night's."
    a_night: int = 100
    "New labels a night."
    audits: int = 20
    "Of them, blind."
    tie_breaks: int = 20
    "Of them, verdicts on which a frozen challenger disagrees, where one waits."
    adapted: bool = True
    world: World = field(default_factory=World)


CELLS = (
    Cell("no better", 0.0),
    Cell("3 points worse", -0.03),
    Cell("5 points better", 0.05),
    Cell("10 points better", 0.10),
    Cell("no better, a quarter blind", 0.0, golden_blind=0.25),
    Cell("5 points better, a quarter blind", 0.05, golden_blind=0.25),
    Cell("no better, near-duplicates all alike", 0.0, world=World(alike=1.0)),
)


@dataclass
class Home:
    """A champion, its people, and the nights so far."""

    cell: Cell
    seed: tuple[int, ...]
    night: int = 0
    champion: int = 0
    born: int = 0
    "The night in which the champion was promoted; it trained on what was labelled until then."
    earlier: Decision | None = None
    best: tuple[float, Challenger] | None = None
    waiting: list[tuple[int, Challenger]] = field(default_factory=list)

    @cached_property
    def people(self) -> People:
        people = People(self.cell.world, np.random.default_rng(self.seed))
        people.label(self.cell.golden, blind=self.cell.golden_blind, night=0, golden=1.0)
        people.label(self.cell.crossfit, blind=self.cell.audits / self.cell.a_night, night=0, golden=0.0)
        return people

    def live(self, gain: float) -> bool:
        """One night with a challenger of this gain; whether any challenger was promoted."""
        if self.night:
            self._hear()
        like = self.people.grow(self.best[1]) if self.best and self.cell.adapted else None
        challenger = self.people.challenge(gain, like=like, likeness=LIKENESS)
        promoted = self._tonight(challenger) or self._look_again()
        self.night += 1
        if promoted is not None:
            self.people.promote(promoted)
            self.champion, self.born = self.champion + 1, self.night
            self.earlier, self.best, self.waiting = None, None, []
        return promoted is not None

    def _hear(self) -> None:
        """What people say between two nights: audits, reports, and tie-breaks by turns between those that wait."""
        cell, people = self.cell, self.people
        ties = cell.tie_breaks if self.waiting else 0
        people.label(cell.a_night - ties, blind=cell.audits / (cell.a_night - ties), night=self.night, golden=0.2)
        self.waiting = [(since, people.grow(each)) for since, each in self.waiting]
        for place, (since, _) in enumerate(self.waiting):
            share = len(range(place, ties, len(self.waiting)))
            asked = people.break_ties(self.waiting[place][1], since, share, night=self.night)
            self.waiting = [(s, asked if s == since else people.grow(each)) for s, each in self.waiting]

    def _tonight(self, challenger: Challenger) -> Challenger | None:
        people = self.people
        counted_N = people.golden_N | (people.night_N >= self.born)
        fresh_N = (people.night_N == self.night) | (self.earlier is None)
        decision = self._decide(challenger, counted_N, fresh_N)
        self.earlier = decision
        if decision.outcome is Outcome.PROMOTED:
            return challenger
        looked_like = next((gate.value for gate in decision.gates if gate.name == PRIMARY), None)
        if looked_like is not None and (self.best is None or looked_like < self.best[0]):
            self.best = looked_like, challenger
        if is_promising(decision) and len(self.waiting) < SETTINGS.frozen_at_once:
            self.waiting.append((self.night, challenger))
        return None

    def _decide(self, challenger: Challenger, counted_N: Any, fresh_N: Any) -> Decision:
        sides = evaluations(
            self.people,
            challenger,
            releases=(f"champion {self.champion}", f"challenger {self.seed} {self.night}"),
            counted_N=counted_N,
            fresh_N=fresh_N,
        )
        return decide(*sides, settings=SETTINGS, run=str(self.night), integrity=SOUND, earlier=self.earlier)

    def _look_again(self) -> Challenger | None:
        people, still, promoted = self.people, [], None
        for since, challenger in self.waiting:
            fresh_N = people.night_N > since
            if not fresh_N.any():
                still.append((since, challenger))
                continue
            sides = evaluations(
                people,
                challenger,
                releases=(f"champion {self.champion}", f"frozen {self.seed} {since}"),
                counted_N=people.golden_N | fresh_N,
                fresh_N=fresh_N,
                since=since,
            )
            decision = decide_frozen(*sides, settings=SETTINGS, run=str(self.night), integrity=SOUND)
            if decision.outcome is Outcome.PROMOTED:
                promoted = promoted or challenger
            elif decision.outcome is Outcome.UNDECIDED and self.night - since < SETTINGS.frozen_nights:
                still.append((since, challenger))
        self.waiting = still
        return promoted


def bench_gate(*, nights: int = NIGHTS, seed: int = 0, progress: Progress = lambda *_: None) -> dict[str, Any]:
    """Rates over `nights` nights a cell, and what becomes of accuracy over 100 nights of challengers from N(-1, 2).

    A home whose challengers are better mostly lives through one night, else it lives through five.

    `false_promotion_rate`: share of nights that promote one that is no better; `harmful_promotion_rate`: one 3 points
    worse; `power_5pt`, `power_10pt`: share of homes whose first night promotes one so much better. `drift_100_nights`:
    the least that true accuracy rose from start to end of 100 nights in any home.
    """
    drifts = max(1, nights // DRIFT)
    total, done = len(CELLS) * nights + drifts * DRIFT, 0
    cells = {}
    for number, cell in enumerate(CELLS):
        lived: list[int | None] = []
        while (counted := len(lived) if cell.gain > 0 else _nights_of(cell, lived)) < nights:
            progress(done + counted, total)
            lived.append(_until_promoted(cell, (seed, number, len(lived))))
        done += nights
        cells[cell.name] = _figures(cell, lived)
    rises = []
    for home in range(drifts):
        rises.append(_drift((seed, len(CELLS), home)))
        done += DRIFT
        progress(done, total)
    drift = {"cell": "drift", "homes": drifts, "nights": DRIFT, "lowest": min(rises), "mean": float(np.mean(rises))}
    return {
        "false_promotion_rate": cells["no better"]["a_night"],
        "harmful_promotion_rate": cells["3 points worse"]["a_night"],
        "power_5pt": cells["5 points better"]["at_once"],
        "power_10pt": cells["10 points better"]["at_once"],
        "drift_100_nights": round(min(rises), 4),
        "cells": [*cells.values(), drift],
    }


def _until_promoted(cell: Cell, seed: tuple[int, ...]) -> int | None:
    """The night, from 1, in which a challenger was promoted; None where none was."""
    home = Home(cell, seed)
    return next((night for night in range(1, cell.nights + 1) if home.live(cell.gain)), None)


def _drift(seed: tuple[int, ...]) -> float:
    """By how much true accuracy stands above its start after 100 nights."""
    home = Home(Cell("drift", 0.0, nights=DRIFT), seed)
    for gain in np.random.default_rng((*seed, 1)).normal(-0.01, 0.02, DRIFT).tolist():
        home.live(gain)
    return home.people.accuracy - home.cell.world.right


def _nights_of(cell: Cell, lived: list[int | None]) -> int:
    return sum(night or cell.nights for night in lived)


def _figures(cell: Cell, lived: list[int | None]) -> dict[str, Any]:
    nights = _nights_of(cell, lived)
    promoted = sum(night is not None for night in lived)
    return {
        "cell": cell.name,
        "homes": len(lived),
        "nights": nights,
        "at_once": round(sum(night == 1 for night in lived) / len(lived), 4),
        "within_five": round(promoted / len(lived), 4),
        "a_night": round(promoted / nights, 4),
    }
