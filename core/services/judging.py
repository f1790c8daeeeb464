"""Judgments of many examples: those there are from the store, the others asked for and written as they come."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from core.judge import Group, Judge, Panel, Spent, panel_weights
from core.policy import Library
from core.schema import Example, JudgeAudit, Judgment, Label, now
from core.services.workspace import Workspace
from core.store import Store

__all__ = [
    "Judged",
    "fresh_labels",
    "judge_examples",
    "judge_groups",
    "panel_of",
    "stored_judgments",
    "teacher_of",
    "unscored_reasons",
]

FIGURE = re.compile(r"[-+]?\d+(\.\d+)?")
MOST_OF_A_NIGHT = 50_000
Told = Callable[[int, int], None]
"""Told how many of how many judgments there are; now and then also while none comes."""


@dataclass(frozen=True)
class Judged:
    """What a judge said."""

    of_example: dict[str, Judgment]
    "One judgment an example, by its id."
    made: tuple[Judgment, ...]
    "Those that were asked for now; of a panel, its members'."
    cached: int
    "How many were in the store."
    members: Mapping[str, "Judged"] = field(default_factory=dict)
    "Of a panel: what each member said."

    @property
    def calls(self) -> int:
        return sum(judgment.calls for judgment in self.made)

    @property
    def cost_usd(self) -> float | None:
        """Of what was asked for now; None where a price is not known."""
        costs = [judgment.cost_usd for judgment in self.made]
        return None if None in costs else sum(cost for cost in costs if cost is not None)


def teacher_of(ws: Workspace, environment: str, *, judge: str | None = None, upto: datetime | None = None) -> Judge:
    """The judge `judge`, else the one that the settings choose; a panel's members weigh what audits say of them.

    With `upto`, what was measured later is not looked at. Raises NightshiftError for a judge that does not exist, or
    that lacks a setting, a key or its model.
    """
    settings = ws.settings if judge is None else ws.settings.model_copy(update={"judge": judge})
    teacher = ws.environment(environment).judge(settings)
    if not isinstance(teacher, Panel):
        return teacher
    low: dict[str, float] = {}
    for member in teacher.members:
        # Measured under other words or with another model it would be another judge.
        audits = ws.store.find(
            JudgeAudit, environment=environment, judge=member.name, prompt_version=member.prompt_version
        )
        known = [each for each in audits if upto is None or each.at <= upto]
        if known and known[-1].overall.kappa_ci95 is not None:
            low[member.name] = known[-1].overall.kappa_ci95[0]
    return teacher.weighed(panel_weights([member.name for member in teacher.members], low))


def fresh_labels(store: Store, environment: str, teacher: Judge, labels: Sequence[Label]) -> list[Label]:
    """The labels that nobody can have seen who tuned the judge: all of them where it is as it was from the start.

    A judge whose words, model or settings were changed here has another prompt version. Whoever changed it may have
    looked at all that people had said by then, so only later words count: those after the first judgment under the
    present version. Of a panel, those that are fresh to all of its members.
    """
    if isinstance(teacher, Panel):
        for member in teacher.members:
            labels = fresh_labels(store, environment, member, labels)
        return list(labels)
    first = store.find(Judgment, environment=environment, judge=teacher.name, limit=1)
    if not first or first[0].prompt_version == teacher.prompt_version:
        return list(labels)
    # An audit of a judge that was never asked leaves its own mark.
    seen = [
        each.at
        for kind in (Judgment, JudgeAudit)
        for each in store.find(
            kind, environment=environment, judge=teacher.name, prompt_version=teacher.prompt_version, limit=1
        )
    ]
    since = min(seen, default=now())
    return [label for label in labels if label.at > since]


def unscored_reasons(judgments: Iterable[Judgment]) -> Counter[str]:
    """Why nothing was scored, each reason with its number; figures in them do not tell them apart."""
    return Counter(FIGURE.sub("n", each.unscored) for each in judgments if each.unscored is not None)


def stored_judgments(
    store: Store, teacher: Judge, examples: Sequence[Example], *, upto: datetime | None = None
) -> dict[str, Judgment]:
    """What the store holds of this judge on these examples, by example id; with `upto`, what it held by then.

    Transient reasons are not among it.
    """
    return _stored(store, teacher, _closed(examples), upto)


def judge_examples(
    store: Store,
    teacher: Judge,
    examples: Sequence[Example],
    library: Library,
    *,
    since: datetime | None = None,
    besides: Spent = Spent(),  # noqa: B008 (frozen)
    told: Told = lambda *_: None,
) -> Judged:
    """One judgment an example over its closed set of answers; see `judge_groups`."""
    return judge_groups(store, teacher, _closed(examples), library, since=since, besides=besides, told=told)


def judge_groups(
    store: Store,
    teacher: Judge,
    groups: Sequence[Group],
    library: Library,
    *,
    since: datetime | None = None,
    besides: Spent = Spent(),  # noqa: B008 (frozen)
    told: Told = lambda *_: None,
) -> Judged:
    """One judgment a group, an example having one. A judgment is in the store before the next ones are waited for.

    What the judge has cost from `since` on, and `besides` its judgments, counts toward its budget. A panel's own
    judgments are not stored: they follow from its members', so that another member costs no more than its own answers.
    """
    if isinstance(teacher, Panel):
        return _by_panel(store, teacher, groups, library, since, besides, told)
    known = _stored(store, teacher, groups)
    wanted = {group[0].id: group for group in groups if group[0].id not in known}
    spent = besides if since is None else besides + _spent(store, teacher, groups, since)
    made: list[Judgment] = []
    for page in teacher.judge_groups(list(wanted.values()), library, spent):
        if page:
            store.add(*page)
            made += page
        told(len(made), len(wanted))
    return Judged({**known, **{judgment.example: judgment for judgment in made}}, tuple(made), len(known))


def _by_panel(
    store: Store,
    panel: Panel,
    groups: Sequence[Group],
    library: Library,
    since: datetime | None,
    besides: Spent,
    told: Told,
) -> Judged:
    members = {}
    for place, member in enumerate(panel.members):

        def of_all(done: int, total: int, before: int = place) -> None:
            told(before * total + done, len(panel.members) * total)

        members[member.name] = judge_groups(store, member, groups, library, since=since, besides=besides, told=of_all)
    return panel_of(panel, groups, members)


def panel_of(panel: Panel, groups: Sequence[Group], members: Mapping[str, Judged]) -> Judged:
    """What a panel says, from what its members have said."""
    said = {name: judged.of_example for name, judged in members.items()}
    return Judged(
        of_example=_combined(panel, groups, said),
        made=tuple(judgment for judged in members.values() for judgment in judged.made),
        cached=sum(judged.cached for judged in members.values()),
        members=dict(members),
    )


def _combined(panel: Panel, groups: Sequence[Group], said: Mapping[str, Mapping[str, Judgment]]) -> dict[str, Judgment]:
    """The panel's judgments of what any member said something about; `said` by member and example."""
    combined = {}
    for example, candidates in groups:
        voices = {name: of[example.id] for name, of in said.items() if example.id in of}
        if voices:
            combined[example.id] = panel.combined(example, candidates, voices)
    return combined


def _stored(store: Store, teacher: Judge, groups: Sequence[Group], upto: datetime | None = None) -> dict[str, Judgment]:
    if isinstance(teacher, Panel):
        said = {member.name: _stored(store, member, groups, upto) for member in teacher.members}
        return _combined(teacher, groups, said)
    ids = {teacher.judgment_id(example, candidates) for example, candidates in groups}
    found = store.find(Judgment, id=ids) if ids else []
    return {judgment.example: judgment for judgment in found if upto is None or judgment.at <= upto}


def _spent(store: Store, teacher: Judge, groups: Sequence[Group], since: datetime) -> Spent:
    """What a night has spent before, where it was interrupted."""
    mine = [
        judgment
        for environment in {example.environment for example, _ in groups}
        for judgment in store.find(
            Judgment, environment=environment, judge=teacher.name, newest_first=True, limit=MOST_OF_A_NIGHT
        )
    ]
    return Spent.on([judgment for judgment in mine if judgment.at >= since])


def _closed(examples: Sequence[Example]) -> list[Group]:
    return [(example, example.answers or ()) for example in examples]
