"""Several judges that speak as one: the mean of their scores, each weighing what its agreement with people is worth."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Self

from pydantic import JsonValue

from core.judge.base import PAGE, Group, Judge, Rewrite, Rewritten, Spent
from core.policy import Library
from core.schema import Example, Judgment, NightshiftError, content_id

__all__ = ["Panel", "disagreement", "panel_weights"]


class Panel(Judge):
    """Asks every member. One that says nothing drops out, and the others speak for it."""

    name = "panel"

    def __init__(self, members: Sequence[Judge], weights: Mapping[str, float] | None = None) -> None:
        """`weights` by member; equal where none are given. Raises NightshiftError for a name that occurs twice."""
        names = [member.name for member in members]
        if len(set(names)) < len(names):
            raise NightshiftError(f"the panel {', '.join(names)} names a judge twice; give the second a name in judges")
        self.members = tuple(members)
        self.weights = dict(weights or dict.fromkeys(names, 1.0))
        self.reads = any(member.reads for member in members)
        versions = [[member.name, member.prompt_version, self.weights[member.name]] for member in members]
        self.prompt_version = f"1/{'+'.join(names)}/{content_id(versions)[:12]}"  # type: ignore[arg-type]

    def weighed(self, weights: Mapping[str, float]) -> Self:
        """The same members with other weights."""
        return type(self)(self.members, weights)

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple(f"{member.name}: {warning}" for member in self.members for warning in member.warnings)

    def judge(self, example: Example, candidates: Sequence[JsonValue], library: Library) -> Judgment:
        said = {member.name: member.judge(example, candidates, library) for member in self.members}
        return self.combined(example, candidates, said)

    def judge_groups(
        self,
        groups: Sequence[Group],
        library: Library,
        spent: Spent = Spent(),  # noqa: B008 (frozen)
    ) -> Iterator[list[Judgment]]:
        """One member after the other; the panel's judgments come when the last one has spoken."""
        said: dict[str, dict[str, Judgment]] = {example.id: {} for example, _ in groups}
        for member in self.members:
            for page in member.judge_groups(groups, library, spent):
                for judgment in page:
                    said[judgment.example][member.name] = judgment
                yield []
        combined = [self.combined(example, candidates, said[example.id]) for example, candidates in groups]
        for start in range(0, len(combined), PAGE):
            yield combined[start : start + PAGE]

    def rewrite(
        self,
        wanted: Sequence[Rewrite],
        spent: Spent = Spent(),  # noqa: B008 (frozen)
    ) -> Iterator[list[Rewritten]]:
        """By the first member that can write."""
        for member in self.members:
            some = False
            for page in member.rewrite(wanted, spent):
                some = True
                yield page
            if some:
                return

    def combined(self, example: Example, candidates: Sequence[JsonValue], said: Mapping[str, Judgment]) -> Judgment:
        """What the members' judgments, by name, come to. It costs nothing: theirs have been paid for.

        Transient where a member is missing for a reason that may pass.
        """
        missing = [name for name in self.weights if name not in said or said[name].transient]
        voices = {name: each for name, each in said.items() if each.unscored is None and self.weights[name] > 0}
        rationale = "; ".join(f"{name}: {each.unscored or each.rationale}" for name, each in said.items())
        if not voices:
            why = f"no member says anything: {rationale}"
            return self.unscored(example, candidates, why, transient=bool(missing))
        total = sum(self.weights[name] for name in voices)
        shares = {name: self.weights[name] / total for name in voices}
        scores = [
            sum(share * (voices[name].score_of(candidate) or 0.0) for name, share in shares.items())
            for candidate in candidates
        ]
        biases = [(shares[name], each.position_bias) for name, each in voices.items() if each.position_bias is not None]
        bias = sum(share * value for share, value in biases) / sum(share for share, _ in biases) if biases else None
        return self.scored(
            example, candidates, scores, rationale, 0.0, position_bias=bias, transient=bool(missing), calls=0
        )


def panel_weights(members: Sequence[str], agreement: Mapping[str, float]) -> dict[str, float]:
    """A weight for each member, from what is measured of some: the lower end of the 95% interval of kappa, not below 0.

    A member of whom nothing is measured weighs as much as the least of the others, so that it is neither silent nor
    leads. Where nothing is measured, or nobody agrees with people beyond chance, all weigh the same.
    """
    measured = {name: max(0.0, low) for name, low in agreement.items() if name in members}
    least = min(measured.values(), default=0.0)
    weights = {name: measured.get(name, least) for name in members}
    return weights if any(weights.values()) else dict.fromkeys(members, 1.0)


def disagreement(judgments: Sequence[Judgment]) -> float:
    """0..1: how far apart the scores of one answer are, at most, among judgments of one example that have scores."""
    by_answer: dict[str, list[float]] = {}
    for judgment in judgments:
        for each in judgment.scores:
            by_answer.setdefault(content_id(each.answer), []).append(each.score)
    return max((max(scores) - min(scores) for scores in by_answer.values()), default=0.0)
