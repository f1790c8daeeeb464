"""How far judges agree with people: on a labelled folder, and on the feedback of a home, again and again."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.judge import Judge, Panel
from core.schema import Example, JudgeAudit, Judgment, Label, NightshiftError, new_id
from core.services.agreement import (
    Said,
    agreement,
    agreement_by_category,
    calibration_error,
    mean_position_bias,
    said_on,
    unflattered,
)
from core.services.classify import Classifier
from core.services.disputes import undisputed
from core.services.importing import Progress
from core.services.judging import Judged, fresh_labels, judge_examples, panel_of, teacher_of, unscored_reasons
from core.services.measuring import FolderLibrary, PairsOf, labelled_pairs
from core.services.night.judge import compare_with_champion
from core.services.workspace import Workspace

__all__ = ["JudgeEvaluation", "audit_figures", "audit_judges", "evaluate_judge"]


@dataclass(frozen=True)
class JudgeEvaluation:
    """What `nightshift judge eval` shows."""

    figures: dict[str, Any]
    hard: dict[str, Any]
    "Number, scored and accuracy of the hard pairs."
    unscored: Counter[str]
    "Reasons, each with its number."
    warnings: tuple[str, ...]


def evaluate_judge(
    ws: Workspace,
    environment: str,
    directory: Path,
    name: str,
    *,
    pairs_of: PairsOf = labelled_pairs,
    progress: Progress | None = None,
) -> JudgeEvaluation:
    """Agreement with the labels of a folder, over what the judge scores; judgments are kept in the store.

    `name` may be several, set off by commas: their panel. Raises NightshiftError for a judge that does not exist or
    lacks a setting, and for a folder without a good pair.
    """
    started = time.perf_counter()
    teacher = teacher_of(ws, environment, judge=name)
    library = FolderLibrary(ws.cache, ws.settings.media, ws.settings.redaction)
    pairs = pairs_of(
        ws, environment, directory, library, read=teacher.reads, progress=progress if teacher.reads else None
    )
    examples = [pair.example for pair in pairs]
    judged = judge_examples(ws.store, teacher, examples, library, told=progress or (lambda *_: None))
    said = [
        Said(judged.of_example[pair.example.id], pair.row.label, cluster=pair.row.app, category=pair.row.category)
        for pair in pairs
    ]
    scored = [each for each in said if each.is_scored]
    if any(each.expected not in {score.answer for score in each.judgment.scores} for each in scored):
        raise NightshiftError(f"judge {name!r} has no score for some labels of {directory}")
    overall = agreement(said).model_dump(mode="json")
    by_category = agreement_by_category(said)
    short = {"n", "scored", "accuracy"}
    return JudgeEvaluation(
        figures={
            **overall,
            "ece": calibration_error(said),
            "position_bias": mean_position_bias(said),
            "calls": judged.calls,
            "cached": judged.cached,
            "cost_usd": judged.cost_usd,
            "seconds": round(time.perf_counter() - started, 2),
            "by_category": {name: of.model_dump(mode="json", include=short) for name, of in by_category.items()},
        },
        hard=agreement([each for each, pair in zip(said, pairs, strict=True) if pair.row.hard]).model_dump(
            mode="json", include=short
        ),
        unscored=unscored_reasons(each.judgment for each in said),
        warnings=teacher.warnings,
    )


def audit_judges(
    ws: Workspace, environment: str, *, judge: str | None = None, told: Callable[[int, int], None] = lambda *_: None
) -> list[JudgeAudit]:
    """Holds a judge against people's newest labels; of a panel, each member and then the panel. What is found is kept.

    Only labels count that are fresh to the judge (`fresh_labels`). What was judged before is not paid for again, so
    an audit that was interrupted goes on where it was. Raises NightshiftError for a judge that does not exist or
    lacks a setting.
    """
    teacher = teacher_of(ws, environment, judge=judge)
    labels = undisputed(ws, environment)[-ws.settings.audits.most_labels :]
    examples = {each.id: each for each in ws.store.get_many(Example, [label.example for label in labels])}
    members = teacher.members if isinstance(teacher, Panel) else (teacher,)
    fresh = {each.name: fresh_labels(ws.store, environment, each, labels) for each in (*members, teacher)}
    started = time.perf_counter()
    champion = Classifier.of_champion(ws, environment)
    asked = _Asked(ws, environment, champion, labels, examples, ws.store.head(environment))
    judged = {}
    for place, member in enumerate(members):
        about = [examples[label.example] for label in fresh[member.name]]

        def of_all(done: int, total: int, before: int = place) -> None:
            told(before * total + done, len(members) * total)

        judged[member.name] = judge_examples(ws.store, member, about, ws.library, told=of_all)
    if isinstance(teacher, Panel):
        groups = [(examples[label.example], examples[label.example].answers or ()) for label in fresh[teacher.name]]
        judged[teacher.name] = panel_of(teacher, groups, judged)
    everyone = [*members, teacher] if isinstance(teacher, Panel) else [teacher]
    audits = [
        asked.audit(each, judged[each.name], fresh[each.name], time.perf_counter() - started) for each in everyone
    ]
    ws.store.add(*audits)
    return audits


@dataclass(frozen=True)
class _Asked:
    """What judges are held against."""

    ws: Workspace
    environment: str
    champion: Classifier
    labels: Sequence[Label]
    examples: dict[str, Example]
    upto_seq: int

    def audit(self, teacher: Judge, judged: Judged, fresh: Sequence[Label], seconds: float) -> JudgeAudit:
        """The record of one judge."""
        judgments = unflattered(teacher, judged, fresh, self.examples)
        said = said_on(fresh, self.examples, judgments, self.ws.environment(self.environment).domain)
        against = compare_with_champion(self.ws, self.champion, fresh, self.examples, judgments)
        overall = agreement(said)
        paid = _paid(judged)
        costs = [each.cost_usd for each in paid]
        known = [cost for cost in costs if cost is not None]
        return JudgeAudit(
            id=new_id(),
            environment=self.environment,
            judge=teacher.name,
            prompt_version=teacher.prompt_version,
            upto_seq=self.upto_seq,
            overall=overall,
            by_category=agreement_by_category(said),
            ece=calibration_error(said),
            position_bias=mean_position_bias(said),
            left_out=len(self.labels) - len(fresh),
            champion=self.champion.release_id,
            **against._asdict(),
            calls=judged.calls,
            cached=judged.cached,
            tokens=sum(each.tokens for each in paid),
            cost_usd=judged.cost_usd,
            usd_per_judgment=sum(known) / overall.scored if overall.scored and len(known) == len(costs) else None,
            seconds=round(seconds, 2),
        )


def audit_figures(audit: JudgeAudit) -> dict[str, Any]:
    """The figures of an audit, spelled as those of an evaluation on a folder are; JSON-ready."""
    figures = audit.model_dump(mode="json", exclude={"overall", "id", "environment"})
    return {"judge": audit.judge, **audit.overall.model_dump(mode="json"), **figures}


def _paid(judged: Judged) -> list[Judgment]:
    """The judgments that something was paid for, whenever; a panel's own are free."""
    if judged.members:
        return [each for of in judged.members.values() for each in of.of_example.values()]
    return list(judged.of_example.values())
