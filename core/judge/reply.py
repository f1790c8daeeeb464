"""What a chat server answered: read strictly, so that a damaged answer is a fault and never a verdict."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.judge.faults import Fault, FaultKind, shortened

__all__ = [
    "Reply",
    "group_scores",
    "letter_probabilities",
    "read_reply",
    "read_usage",
    "stated_probabilities",
    "written_text",
]

T = TypeVar("T", bound=BaseModel)
CLEAR_MASS = 0.5
"Least probability that the letters must have together for the first token to be a verdict."
REASON_CHARACTERS = 300


@dataclass(frozen=True)
class Reply:
    """One answer."""

    text: str
    finish_reason: str | None
    first_logprobs: tuple[tuple[str, float], ...] | None
    "Likeliest first tokens that are not blank, with their log-probabilities; None where the server gave none."


def read_reply(payload: object) -> Reply:
    """The first choice of a chat completion. Raises Fault where there is none, or where the model refuses."""
    match payload:
        case {"choices": [{"message": {**message}} as choice, *_]}:
            pass
        case {"choices": []}:
            raise Fault(FaultKind.FAILING, "the answer has no choices")
        case _:
            raise Fault(FaultKind.FAILING, f"the answer is no chat completion: {shortened(str(payload))}")
    finish_reason, refusal, text = choice.get("finish_reason"), message.get("refusal"), message.get("content")
    if refusal or finish_reason == "content_filter":
        raise Fault(FaultKind.ANSWERED, f"the model refuses: {shortened(str(refusal or text or 'content filter'))}")
    if text is not None and not isinstance(text, str):
        raise Fault(FaultKind.FAILING, f"the answer is no text: {shortened(str(text))}")
    return Reply(
        text=text or "",
        finish_reason=finish_reason if isinstance(finish_reason, str) else None,
        first_logprobs=_first_logprobs(choice.get("logprobs")),
    )


def read_usage(payload: object, guessed_input: int) -> tuple[int, int]:
    """Tokens sent and received, as the server counts them; sent ones as guessed where it does not."""
    usage = payload.get("usage") if isinstance(payload, Mapping) else None
    inward, outward = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
    return guessed_input if inward is None else inward, outward or 0


def letter_probabilities(reply: Reply, letters: Sequence[str]) -> list[float]:
    """Probability of each letter among `letters`, from the log-probabilities of the first token that is not blank.

    A letter that is not among the likeliest tokens counts as no likelier than the last of them. Raises Fault where
    the model would say something else than a letter.
    """
    tokens = reply.first_logprobs or ()
    mass = dict.fromkeys(letters, 0.0)
    for token, logprob in tokens:
        if token.strip() in mass:
            mass[token.strip()] += math.exp(min(0.0, logprob))
    total = sum(mass.values())
    if total < CLEAR_MASS:
        raise Fault(FaultKind.ANSWERED, f"no clear verdict: {shortened(reply.text)!r}")
    least = math.exp(min(0.0, tokens[-1][1]))
    floored = [value if value > 0 else min(least, 1 - min(total, 1.0)) for value in mass.values()]
    return [value / sum(floored) for value in floored]


def stated_probabilities(reply: Reply, letters: Sequence[str]) -> tuple[list[float], str]:
    """Probability of each letter and the reason, from a reply in JSON. The last verdict in the reply binds.

    The stated confidence goes to the verdict, the rest is shared out evenly. Raises Fault for a reply that was cut
    off, that holds no verdict, or whose last one is unclear.
    """
    verdict = _last_object(reply, _Verdict, "verdict")
    if verdict.verdict not in letters:
        raise Fault(FaultKind.ANSWERED, f"the verdict {shortened(verdict.verdict)!r} is none of {', '.join(letters)}")
    rest = (1 - verdict.confidence) / (len(letters) - 1)
    probabilities = [verdict.confidence if letter == verdict.verdict else rest for letter in letters]
    return probabilities, " ".join(verdict.reason.split())[:REASON_CHARACTERS]


def group_scores(reply: Reply, answers: int) -> tuple[list[float], str]:
    """The score in 0..1 of each of so many numbered answers, and the reason. The last object in the reply binds.

    Raises Fault for a reply that was cut off, or that lacks a score or holds one too many.
    """
    said = _last_object(reply, _Scores, "scores")
    numbers = [str(number) for number in range(1, answers + 1)]
    if said.scores.keys() != set(numbers):
        given = shortened(", ".join(said.scores))
        raise Fault(FaultKind.ANSWERED, f"scores for {given or 'nothing'}; there are the answers 1 to {answers}")
    return [said.scores[number] for number in numbers], " ".join(said.reason.split())[:REASON_CHARACTERS]


def written_text(reply: Reply) -> str:
    """The text of a reply in JSON. Raises Fault for a reply that was cut off or holds none."""
    return _last_object(reply, _Text, "text").text


class _Text(BaseModel):
    model_config = ConfigDict(extra="forbid")
    text: str


class _Scores(BaseModel):
    model_config = ConfigDict(extra="forbid")
    reason: str
    scores: dict[str, Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]]


class _Verdict(BaseModel):
    model_config = ConfigDict(extra="forbid")
    reason: str
    verdict: str
    confidence: float = Field(ge=0.5, le=1, allow_inf_nan=False)


def _last_object(reply: Reply, kind: type[T], wanted: str) -> T:
    """The last JSON object of a reply, as a `kind`. Raises Fault for a reply that was cut off or has no such object."""
    if reply.finish_reason == "length":
        raise Fault(FaultKind.ANSWERED, f"the reply was cut off: {shortened(reply.text)!r}")
    objects = _objects(reply.text)
    try:
        return kind.model_validate(objects[-1], strict=True)
    except (IndexError, ValidationError) as error:
        raise Fault(FaultKind.ANSWERED, f"no clear {wanted}: {shortened(reply.text)!r}") from error


def _objects(text: str) -> list[Any]:
    """The JSON objects of a text, side by side, whatever stands between; a broken one is None."""
    found: list[Any] = []
    decoder, place = json.JSONDecoder(), text.find("{")
    while place >= 0:
        try:
            value, end = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            # What follows a broken object could stand inside it.
            return [*found, None]
        found.append(value)
        place = text.find("{", end)
    return found


def _first_logprobs(logprobs: object) -> tuple[tuple[str, float], ...] | None:
    entries = logprobs.get("content") if isinstance(logprobs, Mapping) else None
    for entry in entries if isinstance(entries, list) else ():
        top = entry.get("top_logprobs") if isinstance(entry, Mapping) else None
        if isinstance(entry, Mapping) and str(entry.get("token", "")).strip() and isinstance(top, list) and top:
            return tuple(sorted((_token(each) for each in top), key=lambda pair: -pair[1]))
    return None


def _token(entry: object) -> tuple[str, float]:
    match entry:
        case {"token": str(token), "logprob": float() | int() as logprob} if not math.isnan(logprob):
            return token, float(logprob)
    raise Fault(FaultKind.FAILING, f"a token without a log-probability: {shortened(str(entry))}")


def _count(usage: object, name: str) -> int | None:
    value = usage.get(name) if isinstance(usage, Mapping) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
