"""From what a judge said to a set that can be learnt from: balanced, in levels from easy to hard, validation apart."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from pydantic import JsonValue

from core.schema import JUDGED, SET_ASIDE, DatasetVersion, Example, NightshiftError
from core.services.night.ingest import contents_of, is_golden
from core.settings import BootstrapSettings

__all__ = ["Candidate", "Chosen", "select_version"]

VALIDATION_MARGIN = 1.3
"Clusters are set aside in so much larger a share than examples are wanted, since answers do not come evenly."


class Candidate(NamedTuple):
    """A question with the answer that the judge holds likelier."""

    example: Example
    answer: str
    confidence: float
    "Its share of the scores of all answers, 0.5..1 of two."
    domain: str
    relation: str
    "How it was meant: `on_task`, `near_miss` or `off_task`."


class Chosen(NamedTuple):
    """The set as a dataset version, and figures about it."""

    version: DatasetVersion
    figures: dict[str, JsonValue]


def select_version(
    candidates: Sequence[Candidate], environment: str, settings: BootstrapSettings, *, golden_share: float, seed: int
) -> Chosen:
    """As many of either answer as wanted, or as there are of the rarer one; all domains in turn.

    A cluster is on one side alone. What is set aside holds every golden cluster there is. Raises NightshiftError
    where either answer is missing among what could be trained on.
    """
    wanted = settings.examples + settings.validation
    apart = max(golden_share, min(0.5, VALIDATION_MARGIN * settings.validation / wanted))
    sides: dict[bool, list[Candidate]] = {True: [], False: []}
    for candidate in sorted(candidates, key=lambda each: _lot(seed, each.example.id)):
        sides[is_golden(candidate.example.cluster, apart)].append(candidate)
    train = _balanced(sides[False], settings.examples)
    if not train:
        answers = sorted({candidate.answer for candidate in sides[False]})
        raise NightshiftError(
            f"the judge's answers are all {' and '.join(answers) or 'missing'}: nothing can be learnt from one answer; "
            "give more pictures, or another judge"
        )
    validation = _balanced(sides[True], settings.validation)
    roles = {f"{JUDGED}{level}": _contents(of) for level, of in enumerate(_levels(train, settings.levels), start=1)}
    version = DatasetVersion.make(environment, {**roles, SET_ASIDE: _contents(validation)})
    figures: dict[str, JsonValue] = {
        "candidates": len(candidates),
        "train": len(train),
        "validation": len(validation),
        "short": max(0, settings.examples - len(train)) + max(0, settings.validation - len(validation)),
        "levels": [len(of) for of in roles.values()],
    }
    return Chosen(version, figures)


def _balanced(candidates: Sequence[Candidate], wanted: int) -> list[Candidate]:
    """The same number of every answer, `wanted` in all at most; none where there is one answer only."""
    by_answer: dict[str, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        by_answer[candidate.answer].append(candidate)
    if len(by_answer) < 2:
        return []
    each = min(wanted // len(by_answer), *(len(of) for of in by_answer.values()))
    return [candidate for answer in sorted(by_answer) for candidate in _in_turn(by_answer[answer])[:each]]


def _in_turn(candidates: Sequence[Candidate]) -> list[Candidate]:
    """One of each domain after the other, in the order given, until there are none left."""
    of_domain: dict[str, int] = defaultdict(int)
    turns = []
    for place, candidate in enumerate(candidates):
        turns.append((of_domain[candidate.domain], place))
        of_domain[candidate.domain] += 1
    return [candidates[place] for _, place in sorted(turns)]


def _levels(train: Sequence[Candidate], levels: int) -> list[list[Candidate]]:
    """Parts of the set from what the judge is surest of to what it doubts; both answers in each as in the whole."""
    parts: list[list[Candidate]] = [[] for _ in range(levels)]
    for answer in sorted({candidate.answer for candidate in train}):
        of_answer = [candidate for candidate in train if candidate.answer == answer]
        ranked = sorted(of_answer, key=lambda each: (-each.confidence, each.example.id))
        for place, candidate in enumerate(ranked):
            parts[place * levels // len(ranked)].append(candidate)
    return [part for part in parts if part]


def _contents(candidates: Sequence[Candidate]) -> tuple[str, ...]:
    return tuple(contents_of(candidate.example.id, candidate.answer) for candidate in candidates)


def _lot(seed: int, example: str) -> bytes:
    return hashlib.sha256(f"{seed}/{example}".encode()).digest()
