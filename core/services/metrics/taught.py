"""What a night's corrections taught: every labelled example that the challenger answers otherwise than the champion."""

from typing import NamedTuple

from core.evaluation import Figures, figures
from core.evaluation.pairs import Pair, Pairs, pair, pairing_fault
from core.schema import Decision, Evaluation, Example
from core.services.night.evaluate import SUITE
from core.services.night.ingest import is_golden
from core.services.workspace import Workspace

__all__ = ["Lesson", "Taught", "taught_by"]


class Lesson(NamedTuple):
    """One example before and after."""

    example: Example
    expected: str
    "What a person said."
    before: str
    before_probability: float | None
    after: str
    after_probability: float | None
    corrected: bool
    "The live answer to it was corrected by a person."
    golden: bool
    "Never trained on; else answered by a challenger that had not trained on it or anything like it."

    @property
    def change(self) -> str:
        """`mended`, `broken` or `other`."""
        before, after = self.before == self.expected, self.after == self.expected
        return "other" if before == after else "mended" if after else "broken"


class Group(NamedTuple):
    """Mended and broken examples of one kind of work."""

    domain: str
    mended: int
    broken: int


class Taught(NamedTuple):
    """Champion against challenger on the same examples."""

    decision: Decision
    champion: Figures
    challenger: Figures
    latency_ms: tuple[float | None, float | None]
    "Median of a verdict of each."
    lessons: list[Lesson]
    "What changed: corrections first, then the rest; mended, then broken, then changed otherwise."
    groups: list[Group]
    "Every kind of work, by name."

    @property
    def n(self) -> int:
        """Examples that both answered."""
        return self.champion.n


def taught_by(ws: Workspace, decision: Decision) -> Taught | None:
    """What was measured in the night of a decision; None where the two were not measured on the same examples."""
    by_release = {each.release: each for each in ws.store.find(Evaluation, run=decision.run, suite=SUITE)}
    champion, challenger = by_release.get(decision.champion), by_release.get(decision.challenger)
    if champion is None or challenger is None or pairing_fault(champion, challenger) is not None:
        return None
    both = pair(champion, challenger)
    first = (ws.environment(decision.environment).answers or ("",))[0]
    changed = [each for each in both.pairs if each.champion.answer != each.challenger.answer]
    known = {each.id: each for each in ws.store.find(Example, id={each.champion.example for each in changed})}
    share = ws.settings.gate.golden_share
    # An example that was erased since is not shown.
    lessons = [_lesson(each, known[each.champion.example], share) for each in changed if each.champion.example in known]
    order = ("mended", "broken", "other")
    return Taught(
        decision=decision,
        champion=figures([each.champion for each in both.pairs], positive=first),
        challenger=figures([each.challenger for each in both.pairs], positive=first),
        latency_ms=both.latency_ms,
        groups=_groups(both),
        lessons=sorted(lessons, key=lambda each: (not each.corrected, order.index(each.change), each.example.id)),
    )


def _groups(both: Pairs) -> list[Group]:
    domains: dict[str, list[float]] = {}
    for each in both.pairs:
        domains.setdefault(each.champion.domain or "", []).append(each.difference)
    return [
        Group(name, sum(gain > 0 for gain in gains), sum(gain < 0 for gain in gains))
        for name, gains in sorted(domains.items())
    ]


def _lesson(both: Pair, example: Example, golden_share: float) -> Lesson:
    return Lesson(
        example=example,
        expected=str(both.champion.expected),
        before=str(both.champion.answer),
        before_probability=both.champion.probability,
        after=str(both.challenger.answer),
        after_probability=both.challenger.probability,
        corrected=both.champion.was_wrong,
        golden=is_golden(both.champion.cluster, golden_share),
    )
