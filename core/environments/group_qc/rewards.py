"""What an answer about a group is worth: a verdict that a person shares, two proper lines, and a reason that holds.

An answer that is not well-formed earns 0 from every part, so that nothing can be gained around the contract.
"""

from collections.abc import Callable

from pydantic import JsonValue

from core.environments.group_qc.contract import Answer, contradicts, images_named, parse_answer, verdict_of
from core.environments.group_qc.dossier import Dossier, summary_problem
from core.environments.group_qc.judge import reason_scores
from core.reward import Question, Reward, judged
from core.schema import NightshiftError
from core.settings.group_qc import GroupRewardSettings

__all__ = ["contract_of", "group_rewards", "line_rewards"]


def group_rewards(**weights: float) -> tuple[Reward, ...]:
    """The reward stack; `weights` are fields of `GroupRewardSettings`."""
    told = GroupRewardSettings(**weights)
    parts: tuple[tuple[str, float, Callable[[Question, JsonValue], float | None]], ...] = (
        ("label", told.label, right_verdict),
        ("format", told.format, well_formed),
        ("evidence", told.evidence, names_its_evidence),
        ("consistent", told.consistent, stands_by_its_verdict),
        ("reason", told.reason, follows_from_the_summaries),
    )
    return tuple(Reward(name, weight, function) for name, weight, function in parts if weight > 0)


def line_rewards() -> tuple[Reward, ...]:
    """What a line of stage A is worth beside the one that a person wrote: whether it is a proper line."""
    return (Reward("line", 1.0, proper_line),)


def proper_line(question: Question, answer: JsonValue) -> float:  # noqa: ARG001
    """1 for one line of Chinese."""
    return float(isinstance(answer, str) and summary_problem(answer) is None)


def contract_of(question: Question, answer: JsonValue) -> Answer | None:
    """The answer where it keeps the contract."""
    try:
        return parse_answer(answer, Dossier.parse(question.example.ask))
    except NightshiftError:
        return None


def right_verdict(question: Question, answer: JsonValue) -> float | None:
    """1 where the verdict is the labelled one, whatever the reason; nothing where nobody labelled the group."""
    expected = verdict_of(question.label)
    if expected is None:
        return None
    found = contract_of(question, answer)
    return float(found is not None and found.verdict == expected)


def well_formed(question: Question, answer: JsonValue) -> float:
    """1 for exactly two proper lines."""
    return float(contract_of(question, answer) is not None)


def names_its_evidence(question: Question, answer: JsonValue) -> float:
    """1 where the reason names a photo of the group, and none that is not there."""
    found = contract_of(question, answer)
    photos = len(Dossier.parse(question.example.ask).summaries)
    named = images_named(found.reason) if found else ()
    return float(bool(named) and all(1 <= number <= photos for number in named))


def stands_by_its_verdict(question: Question, answer: JsonValue) -> float:
    """0 where the reason says the opposite of the verdict."""
    found = contract_of(question, answer)
    return float(found is not None and not contradicts(found))


def follows_from_the_summaries(question: Question, answer: JsonValue) -> float | None:
    """How far the reason follows from the lines of the photos that it names: a judge's score where one was asked, else
    by the rules of the embedded one. 0 for what is not well-formed."""
    if contract_of(question, answer) is None:
        return 0.0
    if question.judgment is not None:
        return judged(question, answer)
    (score,) = reason_scores(question.example, [answer])
    return score
