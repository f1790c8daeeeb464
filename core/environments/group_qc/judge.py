"""The embedded judge: holds a reason against the lines of the photos by fixed rules. It needs no model.

It does not say whether a verdict is right, only whether its reason stands on what was seen: the photo that it names
is there, and what it says of it is what that photo's line says.
"""

import re
import time
from collections.abc import Sequence

from pydantic import JsonValue

from core.environments.group_qc.contract import VERDICTS, Answer, contradicts, parse_answer
from core.environments.group_qc.dossier import Dossier
from core.judge import Judge
from core.policy import Library
from core.schema import Example, Judgment, NightshiftError

__all__ = ["SummaryJudge", "follows", "reason_scores"]

CITED = re.compile(r"图片_?(\d+)")
PIECE = re.compile(r"[^\u4e00-\u9fffA-Za-z0-9]+")
LINKING = re.compile(r"因为|所以|显示|可见|看到|其中|存在|说明|依据|据此|由于|根据|以及|均|都|且|并|的|为|是|有|中|里")
"Words that join what is said and say nothing themselves."
SHORTEST = 2
"Signs that a stretch has at least in common with a line to count as taken from it."


class SummaryJudge(Judge):
    """Scores each answer by the share of its reason that the lines of the named photos bear out."""

    name = "reading"
    prompt_version = "group_qc/1"

    def judge(self, example: Example, candidates: Sequence[JsonValue], library: Library) -> Judgment:  # noqa: ARG002
        started = time.perf_counter()
        if all(candidate in VERDICTS for candidate in candidates):
            return self.unscored(example, candidates, "a verdict alone gives no reason to judge")
        scores = reason_scores(example, candidates)
        ms = (time.perf_counter() - started) * 1000
        return self.scored(example, candidates, scores, "the share of each reason that the photos' lines bear out", ms)


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
    """0..1: of the characters that the reason says of photos, the share that stands in those photos' lines.

    0 where it names no photo, or one that is not there.
    """
    parts = CITED.split(answer.reason)
    said = list(zip(map(int, parts[1::2]), parts[2::2], strict=True))
    if not said or any(not 1 <= number <= len(dossier.summaries) for number, _ in said):
        return 0.0
    borne = total = 0
    waiting: list[int] = []
    for number, text in said:
        waiting.append(number)
        bare = LINKING.sub("", PIECE.sub("", text))
        if not bare:
            continue
        lines = [PIECE.sub("", dossier.summaries[each - 1]) for each in waiting]
        total += len(bare)
        borne += min(_shared(bare, line) for line in lines)
        waiting = []
    return borne / total if total else 0.0


def _shared(text: str, line: str) -> int:
    """Characters of `text` that lie in stretches of it that `line` holds as well."""
    covered, start = 0, 0
    while start < len(text):
        end = start
        while end < len(text) and text[start : end + 1] in line:
            end += 1
        if end - start >= SHORTEST:
            covered += end - start
        start = max(end, start + 1)
    return covered
