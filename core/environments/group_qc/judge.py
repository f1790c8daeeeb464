"""The embedded judge: holds a reason against the lines of the photos by fixed rules. It needs no model.

It does not say whether a verdict is right, only whether its reason stands on what was seen: the photo that it names
is there, and what it says of it is what that photo's line says.
"""

import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from core.environments.group_qc.contract import VERDICTS, Answer, contradicts, parse_answer
from core.environments.group_qc.dossier import Dossier
from core.environments.group_qc.prompt import JUDGE_PROMPT
from core.judge import Judge, chosen_judge
from core.policy import Library
from core.schema import Example, Judgment, NightshiftError
from core.settings import Settings, load_settings

__all__ = ["SummaryJudge", "follows", "judge_of", "reason_judge", "reason_scores"]

CITED = re.compile(r"图片_?(\d+)")
LINKING = re.compile(r"因为|所以|显示|可见|看到|其中|存在|说明|依据|据此|由于|根据|以及|均|都|的|为|是|有|中|里")
"Words that join what is said and say nothing themselves."
PIECE = re.compile(r"[^\u4e00-\u9fffA-Za-z0-9]+|且|并|而|但")
"Between what is said by itself."
POINTING = re.compile(r"(?:详见|参见|见)\W*$")
"What points to the photo that is named next."
DENIAL = re.compile(r"[未不没无缺非]")
SHORTEST = 2
"Signs that a stretch has at least in common with a line to count as taken from it."


class SummaryJudge(Judge):
    """Scores each answer by the share of its reason that the lines of the named photos bear out."""

    name = "reading"
    prompt_version = "group_qc/2"

    def judge(self, example: Example, candidates: Sequence[JsonValue], library: Library) -> Judgment:  # noqa: ARG002
        started = time.perf_counter()
        if all(candidate in VERDICTS for candidate in candidates):
            return self.unscored(example, candidates, "a verdict alone gives no reason to judge")
        scores = reason_scores(example, candidates)
        ms = (time.perf_counter() - started) * 1000
        return self.scored(example, candidates, scores, "the share of each reason that the photos' lines bear out", ms)


def judge_of(settings: Settings) -> Judge:
    """The judge that the settings choose. Raises NightshiftError for a name that is none."""
    return chosen_judge(settings, JUDGE_PROMPT, {SummaryJudge.name: SummaryJudge})


def reason_judge(home: str, **told: Any) -> Judge:
    """The same in a training process, which is told what concerns judges in the settings of `home`."""
    return judge_of(load_settings(Path(home), **told))


def reason_scores(example: Example, candidates: Sequence[JsonValue]) -> list[float]:
    """0..1 for each answer; 0 for one that is not well-formed or contradicts itself."""
    dossier = Dossier.parse(example.ask)
    return [_score(candidate, dossier) for candidate in candidates]


def _score(candidate: JsonValue, dossier: Dossier) -> float:
    try:
        answer = parse_answer(candidate, dossier)
    except NightshiftError:
        return 0.0
    return 0.0 if contradicts(answer) else follows(answer, dossier)


def follows(answer: Answer, dossier: Dossier) -> float:
    """0..1: of the characters that the reason says, the share that stands in the lines of the photos named for them.

    What comes before the first photo that is named is said of that one. 0 where no photo is named, or one that is not
    there. A stretch that the line denies, or that only the reason denies, does not stand in it.
    """
    before, *rest = CITED.split(answer.reason)
    said = list(zip(map(int, rest[::2]), rest[1::2], strict=True))
    if not said or any(not 1 <= number <= len(dossier.summaries) for number, _ in said):
        return 0.0
    borne = total = 0
    waiting: list[int] = []
    for number, text in [(said[0][0], POINTING.sub("", before)), *said]:
        waiting.append(number)
        clauses = _clauses(LINKING.sub("", text))
        if not clauses:
            continue
        lines = [_clauses(dossier.summaries[each - 1]) for each in waiting]
        total += sum(map(len, clauses))
        borne += min(sum(_shared(clause, line) for clause in clauses) for line in lines)
        waiting = []
    return borne / total if total else 0.0


def _clauses(text: str) -> list[str]:
    return [each for each in PIECE.split(text) if each]


def _shared(clause: str, line: Sequence[str]) -> int:
    """Characters of a clause that lie in stretches of it that a clause of the line holds as well, denied in neither or
    in both."""
    covered, start = 0, 0
    while start < len(clause):
        end = start
        while end < len(clause) and any(_holds(each, clause, start, end + 1) for each in line):
            end += 1
        if end - start >= SHORTEST:
            covered += end - start
        start = max(end, start + 1)
    return covered


def _holds(said: str, clause: str, start: int, end: int) -> bool:
    """Whether `said` has this stretch of the clause, under a denial where the clause has it under one."""
    place, is_denied = said.find(clause[start:end]), bool(DENIAL.search(clause[:start]))
    while place >= 0 and bool(DENIAL.search(said[:place])) != is_denied:
        place = said.find(clause[start:end], place + 1)
    return place >= 0
