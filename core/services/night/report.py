"""Report: the night as one object for programs and one page for people."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from core.evaluation import render_report, render_summary
from core.schema import Decision, Evaluation, Example, Run, StageResult
from core.services.night.evaluate import evaluation_ids
from core.services.night.promote import decision_id
from core.services.night.record import FROZEN, STAGES, finished, stage, stage_result
from core.services.workspace import Workspace
from core.store import Lease

__all__ = ["draw_pages", "night_remarks", "report"]


@stage("report")
def report(ws: Workspace, run: Run, lease: Lease) -> dict[str, JsonValue]:  # noqa: ARG001
    """Writes `report.html` and `report.md` beside the run's scratch, and returns the night's object."""
    (decision,) = ws.store.get_many(Decision, [decision_id(ws, run)])
    stages = _stages(ws, run)
    return {"night": _night(ws, run, decision, stages), "page": str(draw_pages(ws, run))}


def draw_pages(ws: Workspace, run: Run) -> Path:
    """Writes both pages of a night from what the store has of it; the HTML page's path."""
    (decision,) = ws.store.get_many(Decision, [decision_id(ws, run)])
    champion, challenger = _sides(ws, run, decision)
    shown = [_for_people(done) for done in _stages(ws, run)]
    examples = ws.store.get_many(Example, [score.example for score in champion.scores])
    about = {example.id: example.ask for example in examples}
    told = night_remarks(ws, run.id)
    directory = ws.run_dir(run.id)
    directory.mkdir(parents=True, exist_ok=True)
    page = (run, decision, champion, challenger, shown)
    (directory / "report.html").write_text(render_report(*page, describe=about, remarks=told))
    (directory / "report.md").write_text(render_summary(*page, describe=about, remarks=told))
    return directory / "report.html"


def _stages(ws: Workspace, run: Run) -> list[StageResult]:
    """Up to the report, which is not one of its own."""
    return [done for name in STAGES[:-1] if (done := stage_result(ws, run.id, name)) is not None]


def night_remarks(ws: Workspace, run_id: str) -> list[str]:
    """The same of a night that has come as far as its frozen challengers; none before."""
    evaluated, waits = stage_result(ws, run_id, "evaluate"), stage_result(ws, run_id, FROZEN)
    if evaluated is None or waits is None:
        return []
    retained = stage_result(ws, run_id, "retention")
    ingested = stage_result(ws, run_id, "ingest")
    varied = stage_result(ws, run_id, "variants")
    return [
        *_remarks(evaluated.result, waits.result),
        *_dispute_remarks(ingested.result if ingested else {}),
        *_variant_remarks(varied.result if varied else {}),
        *_retention_remarks(retained.result if retained else {}),
    ]


def _dispute_remarks(ingested: Mapping[str, Any]) -> list[str]:
    if not (number := ingested.get("disputed", 0)):
        return []
    return [
        f"{number} labels were kept out, because people's words contradict each other; they lead the Review queue, and "
        "`nightshift disputes list` shows them."
    ]


def dropped_shares(varied: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """By kind of variant how many were kept and dropped, and the share dropped; from the result of the stage."""
    made, dropped = varied.get("made", {}), varied.get("dropped", {})
    return {
        kind: {
            "kept": made.get(kind, 0),
            "dropped": dropped.get(kind, 0),
            "share_dropped": round(dropped.get(kind, 0) / (made.get(kind, 0) + dropped.get(kind, 0)), 4),
        }
        for kind in sorted({*made, *dropped})
    }


def _variant_remarks(varied: Mapping[str, Any]) -> list[str]:
    lost = {kind: of for kind, of in dropped_shares(varied).items() if of["dropped"]}
    if not lost:
        return []
    told = ", ".join(
        f"{kind} {of['dropped']} of {of['kept'] + of['dropped']} ({of['share_dropped']:.0%})"
        for kind, of in lost.items()
    )
    return [f"Variants were dropped because what decides their label could no longer be read: {told}."]


def _retention_remarks(retained: Mapping[str, Any]) -> list[str]:
    told = []
    if retained.get("erased"):
        told.append(f"{retained['erased']} screens that nobody gave feedback on were erased, for their time was over.")
    if retained.get("failed"):
        told.append(f"Screens whose time was over could not all be erased: {retained['failed']}")
    return told


STATES = {"waits": "still waits", "promoted": "is promoted", "ended": "is given up"}


def _remarks(evaluated: Mapping[str, Any], waits: Mapping[str, Any]) -> list[str]:
    """What a person should know beside the decision: audits that are missing, and challengers that wait."""
    told = []
    done, wanted = evaluated.get("audits", 0), evaluated.get("audits_wanted", 0)
    if done < wanted:
        told.append(
            f"The quota of blind audits was not met: {done} of {wanted} since the last night. Without them the gate "
            "cannot tell how often the champion is wrong, and reported mistakes count for little. They are in Review."
        )
    for each in waits["waiting"]:
        nights = "1 night" if each["nights"] == 1 else f"{each['nights']} nights"
        told.append(
            f"Challenger {each['challenger'][:12]}, frozen for {nights}, {STATES[each['state']]}: {each['reason']}"
        )
    if waits["froze"]:
        told.append(
            "Tonight's challenger is promising: it is frozen and will be looked at on what is labelled from now on."
        )
    apart = len({example for examples in waits["wanted"].values() for example in examples})
    if apart:
        told.append(
            f"{apart} verdicts on which the champion and a challenger that waits disagree lead the Review queue."
        )
    return told


def _sides(ws: Workspace, run: Run, decision: Decision) -> list[Evaluation]:
    """What the decision was taken on: tonight's evaluations, or those of the frozen challenger that is promoted."""
    tonight = evaluation_ids(ws, run)
    if decision.id == finished(ws, run.id, "gate")["decision"]:
        return ws.store.get_many(Evaluation, tonight)
    others = [each for each in ws.store.find(Evaluation, run=run.id) if each.id not in tonight]
    by_release = {each.release: each for each in others if each.suite == _suite_of(others, decision)}
    return [by_release[decision.champion], by_release[decision.challenger]]


def _suite_of(evaluations: list[Evaluation], decision: Decision) -> str:
    return next(each.suite for each in evaluations if each.release == decision.challenger)


def _for_people(done: StageResult) -> StageResult:
    """Without the long lists of ids and figures that only programs read."""
    figures = {name: value for name, value in done.result.items() if isinstance(value, int | float | str | bool)}
    return done.model_copy(update={"result": figures})


def _night(ws: Workspace, run: Run, decision: Decision, stages: list[StageResult]) -> dict[str, Any]:
    evaluated, waits = finished(ws, run.id, "evaluate"), finished(ws, run.id, FROZEN)
    retained = stage_result(ws, run.id, "retention")
    return {
        "run_id": run.id,
        "erased": retained.result["erased"] if retained else 0,
        "ingested": finished(ws, run.id, "ingest")["ingested"],
        "variants": finished(ws, run.id, "variants")["variants"],
        "variants_by_kind": dropped_shares(finished(ws, run.id, "variants")),
        "judged": finished(ws, run.id, "judge")["judged"],
        "steps": finished(ws, run.id, "train")["steps"],
        "entered_while_training": finished(ws, run.id, "train").get("words_entered", 0),
        "challenger": decision.challenger,
        "outcome": decision.outcome.value,
        "promoted": bool(finished(ws, run.id, "promote")["promoted"]),
        "gates": [gate.model_dump(mode="json") for gate in decision.gates],
        "seconds": {done.stage: done.seconds for done in stages},
        "seed": run.seed,
        "reason": decision.reason,
        "more_examples_needed": decision.more_examples_needed,
        "audits": {"done": evaluated.get("audits", 0), "wanted": evaluated.get("audits_wanted", 0)},
        "remarks": night_remarks(ws, run.id),
        "frozen": waits["waiting"],
        "froze_challenger": waits["froze"],
        "to_review": sorted({example for examples in waits["wanted"].values() for example in examples}),
        "dataset_version": finished(ws, run.id, "ingest")["dataset_version"],
        "champion": ws.store.champion(run.environment),
    }
