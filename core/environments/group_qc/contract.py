"""What an answer is: exactly two lines, the verdict and then the reason in Chinese.

One strict parser says what is well-formed, and `FORM` says the same to whoever decodes, so that what is drawn under it
always parses. Nothing here forgives: an answer that looks right without being it earns nothing.
"""

import re
from dataclasses import dataclass

from pydantic import JsonValue

from core.environments.group_qc.chinese import is_chinese_line
from core.environments.group_qc.dossier import Dossier
from core.environments.group_qc.wording import SENTENCES
from core.policy.form import TextForm
from core.schema import NightshiftError

__all__ = ["FAIL", "FORM", "PASS", "VERDICTS", "Answer", "contradicts", "images_named", "parse_answer", "verdict_of"]

PASS, FAIL = VERDICTS = ("通过", "不通过")
SHORTEST, LONGEST = 4, 120
"Characters of a reason."
FORM = TextForm(openings=tuple(f"{verdict}\n" for verdict in VERDICTS), least=SHORTEST, most=LONGEST)
IMAGE = re.compile(r"图片_?(\d+)")
PUNCTUATION = re.compile(r"[\W_]+")
SAYS_FAIL = re.compile(r"(?<!没有)(?<!未发现)(?<!未见)(?<!无)(?:不通过|不合格|不符合|未通过|不予通过)")
SAYS_PASS = re.compile(
    r"(?<![不未])(?:合格|符合要求)|(?:判定|验收|检查|予以|全部|均)通过|没有(?:发现)?(?:任何)?问题|一切正常"
)


@dataclass(frozen=True)
class Answer:
    """A verdict and why."""

    verdict: str
    reason: str

    @property
    def text(self) -> str:
        return f"{self.verdict}\n{self.reason}"


def parse_answer(text: JsonValue, dossier: Dossier | None = None) -> Answer:
    """The answer that `text` is; where `dossier` is given, one whose reason is not copied from the mission.

    Raises NightshiftError saying which line is wrong, and how.
    """
    if not isinstance(text, str):
        raise NightshiftError(f"an answer is a text of two lines, and this is {type(text).__name__}")
    lines = text.split("\n")
    if len(lines) != 2:
        raise NightshiftError(f"an answer has exactly two lines, verdict and reason; this has {len(lines)}")
    verdict, reason = lines
    if verdict not in VERDICTS:
        raise NightshiftError(f"the first line is {verdict[:20]!r}; it must be {PASS} or {FAIL} and nothing else")
    if not SHORTEST <= len(reason) <= LONGEST:
        raise NightshiftError(f"the reason has {len(reason)} characters; it has {SHORTEST} to {LONGEST}")
    if not is_chinese_line(reason):
        raise NightshiftError(f"the reason {reason[:40]!r} is not a line of Chinese")
    if _is_verdict(reason):
        raise NightshiftError(f"the second line {reason[:40]!r} gives a verdict again, and no reason")
    if dossier is not None and (source := _copied(reason, dossier)):
        raise NightshiftError(f"the reason is copied from the question: {source[:40]!r}")
    return Answer(verdict, reason)


def verdict_of(answer: JsonValue) -> str | None:
    """The verdict in an answer, or in a label that is a verdict alone; None for anything else."""
    if answer in VERDICTS:
        return str(answer)
    try:
        return parse_answer(answer).verdict
    except NightshiftError:
        return None


def images_named(reason: str) -> tuple[int, ...]:
    """The numbers of the photos that a reason names, in order."""
    return tuple(dict.fromkeys(int(number) for number in IMAGE.findall(reason)))


def contradicts(answer: Answer) -> bool:
    """Whether the reason says in so many words the opposite of the verdict.

    A group fails by one photo of which something is said, whatever is said of the others; it passes by all of them.
    """
    fails, passes = SAYS_FAIL.search(answer.reason), SAYS_PASS.search(answer.reason)
    return bool(fails) if answer.verdict == PASS else bool(passes and not fails)


def _is_verdict(reason: str) -> bool:
    bare = PUNCTUATION.sub("", reason)
    return not bare.replace(FAIL, "").replace(PASS, "").removeprefix("结论").removeprefix("判定").removeprefix("为")


def _copied(reason: str, dossier: Dossier) -> str | None:
    """The reason where it repeats the instructions with little besides; what a photo's line says may be said."""
    said = [piece for piece in PUNCTUATION.split(IMAGE.sub("，", reason)) if piece]
    bare = "".join(piece for piece in said if not any(piece in line for line in dossier.summaries))
    told = [PUNCTUATION.sub("", each) for each in (*dossier.instructions, *SENTENCES)]
    left = bare
    for each in sorted(told, key=len, reverse=True):
        left = left.replace(each, "")
    is_copied = bool(bare) and (bare in "".join(told) or 2 * len(left) <= len(bare))
    return reason if is_copied else None
