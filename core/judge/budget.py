"""What a night may spend on judgments: tokens and money, softly and hard."""

from core.judge.base import Spent
from core.judge.faults import Fault, FaultKind
from core.judge.reply import read_usage
from core.settings import JudgingSettings

__all__ = ["Budget", "Tally", "is_spent_budget"]

REASON = "the {which} budget of {limit} is spent ({spent})"


class Tally:
    """What one judgment has cost so far."""

    def __init__(self) -> None:
        self.calls, self.tokens, self.usd = 0, 0, 0.0


class Budget:
    """Counts every answer, and says when to wrap up and when to stop.

    Softly spent: no further judgment is begun. Spent hard: no further call is sent, where the calls in flight are
    reckoned with at the mean cost of those before them.
    """

    def __init__(self, settings: JudgingSettings, spent: Spent) -> None:
        self._settings = settings
        self._tokens, self._usd = spent.tokens, spent.usd
        self._counted = Tally()
        self._in_flight = 0

    def check_soft(self) -> None:
        """Raises Fault where no further judgment may be begun."""
        limits = self._settings
        self._check("soft", limits.soft_tokens, limits.soft_usd, expected=0)

    def begin_call(self) -> None:
        """Raises Fault where no further call may be sent; else the call counts as in flight until `end_call`."""
        limits = self._settings
        self._check("hard", limits.hard_tokens, limits.hard_usd, expected=self._in_flight)
        self._in_flight += 1

    def end_call(self) -> None:
        self._in_flight -= 1

    def count(self, payload: object, guessed_tokens: int, tally: Tally) -> None:
        """Adds an answer, good or bad, to the night and to the judgment it is for."""
        inward, outward = read_usage(payload, guessed_tokens)
        usd = (
            inward * (self._settings.usd_per_million_input or 0.0)
            + outward * (self._settings.usd_per_million_output or 0.0)
        ) / 1e6
        for each in (tally, self._counted):
            each.tokens += inward + outward
            each.usd += usd
        self._counted.calls += 1

    def _check(self, which: str, tokens: int | None, usd: float | None, *, expected: int) -> None:
        calls = max(1, self._counted.calls)
        spent_tokens = self._tokens + self._counted.tokens
        spent_usd = self._usd + self._counted.usd
        if tokens is not None and spent_tokens + expected * self._counted.tokens / calls >= tokens:
            reason = REASON.format(which=which, limit=f"{tokens} tokens", spent=spent_tokens)
            raise Fault(FaultKind.STOPPED, reason)
        if usd is not None and spent_usd + expected * self._counted.usd / calls >= usd:
            reason = REASON.format(which=which, limit=f"{usd:.2f} dollars", spent=f"{spent_usd:.2f}")
            raise Fault(FaultKind.STOPPED, reason)


def is_spent_budget(unscored: str) -> bool:
    """Whether this reason for leaving something unscored is a budget that was spent."""
    return any(unscored.startswith(REASON.split("{limit}")[0].format(which=which)) for which in ("soft", "hard"))
