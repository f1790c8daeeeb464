"""Judges held against people's feedback, panels, and what of it reaches the review queue."""

from pathlib import Path

import pytest
from chat_server import ChatServer, running

from core.schema import CANNOT_TELL, Correction, Example, JudgeAudit, Judgment, NightshiftError, Prediction, now
from core.services import Workspace, audit_figures, audit_judges, evaluate_judge, review_queue
from core.services.judging import fresh_labels, judge_examples, teacher_of

FIGURES = {"n", "scored", "accuracy", "kappa", "kappa_ci95", "ece", "position_bias", "calls", "cached", "cost_usd"}


@pytest.fixture(scope="module")
def server() -> object:
    serving = ChatServer(on_task=0.9)
    with running(serving):
        yield serving


def told(ws: Workspace, server: ChatServer, judge: str, **judging: object) -> Workspace:
    """The same home, with another judge."""
    quick = {"base_url": server.url, "model": "tiny", "tries": 1, **judging}
    # The quota of blind audits is met: before that, most of so few verdicts are shown blindly.
    return Workspace.open(ws.home, judge=judge, judging=quick, review={"audits_per_night": 0})


def test_an_audit_says_how_far_the_judge_agrees_with_people_and_what_it_has_earned(
    imported: Workspace, server: ChatServer
) -> None:
    ws = told(imported, server, "openai", usd_per_million_input=1.0, usd_per_million_output=1.0)
    (audit,) = audit_judges(ws, "screen")
    labels = ws.store.labels("screen")
    assert audit.overall.n == audit.overall.scored == audit.compared == len(labels)
    assert audit.overall.accuracy == pytest.approx(sum(label.answer == "on_task" for label in labels) / len(labels))
    assert audit.overall.kappa == pytest.approx(0)
    assert audit.share == 0, "a judge that says the same of everything has earned nothing"
    assert sum(of.n for of in audit.by_category.values()) == len(labels)
    assert audit.calls == 2 * len(labels) and audit.usd_per_judgment == pytest.approx(2 * 1010 / 1e6)
    assert audit_figures(audit).keys() >= FIGURES
    assert ws.store.find(JudgeAudit) == [audit]


def test_an_audit_pays_for_nothing_twice_and_goes_on_where_it_was(imported: Workspace, server: ChatServer) -> None:
    ws = told(imported, server, "openai")
    labels = ws.store.labels("screen")
    asked = ws.store.get_many(Example, [label.example for label in labels[:4]])
    judge_examples(ws.store, teacher_of(ws, "screen"), asked, ws.library)
    (first,) = audit_judges(ws, "screen")
    (second,) = audit_judges(ws, "screen")
    assert (first.cached, second.calls, second.cached) == (4, 0, len(labels))
    assert second.overall == first.overall and second.id != first.id


def test_what_a_person_could_not_tell_is_no_evidence(imported: Workspace) -> None:
    before = len(imported.store.labels("screen"))
    prediction = imported.store.labels("screen")[0]
    imported.store.add(Correction(id="unsure", environment="screen", example=prediction.example, answer=CANNOT_TELL))
    (audit,) = audit_judges(imported, "screen", judge="reading")
    assert audit.overall.n == before - 1


def test_a_judge_whose_words_changed_is_measured_only_on_what_people_say_afterwards(
    imported: Workspace, server: ChatServer
) -> None:
    before, changed = told(imported, server, "openai"), told(imported, server, "openai", max_pixels=500_000)
    labels = imported.store.labels("screen")
    assert fresh_labels(before.store, "screen", teacher_of(before, "screen"), labels) == labels
    audit_judges(before, "screen")
    (audit,) = audit_judges(changed, "screen")
    assert (audit.overall.n, audit.left_out, audit.share) == (0, len(labels), 0)
    said = Correction(id="later", environment="screen", example=labels[0].example, answer="on_task", at=now())
    imported.store.add(said)
    (audit,) = audit_judges(changed, "screen")
    assert (audit.overall.n, audit.left_out) == (1, len(labels) - 1)
    (audit,) = audit_judges(before, "screen")
    assert audit.left_out == 0, "the judge as it was from the start is measured on all"


def test_a_panel_is_audited_with_its_members_and_its_next_weights_follow(
    imported: Workspace, server: ChatServer
) -> None:
    ws = told(imported, server, "reading, openai")
    reading, openai, panel = audit_judges(ws, "screen")
    assert [each.judge for each in (reading, openai, panel)] == ["reading", "openai", "panel"]
    assert panel.cached + panel.calls >= 2 * panel.overall.n - reading.overall.n
    weights = teacher_of(ws, "screen").weights  # type: ignore[attr-defined]
    low = max(0.0, (reading.overall.kappa_ci95 or (0.0, 0.0))[0])
    assert weights == ({"reading": low, "openai": 0.0} if low else {"reading": 1.0, "openai": 1.0})
    assert teacher_of(ws, "screen", upto=reading.at.replace(year=2020)).weights == {"reading": 1.0, "openai": 1.0}  # type: ignore[attr-defined]


def test_another_member_costs_no_more_than_its_own_answers(imported: Workspace, server: ChatServer) -> None:
    audit_judges(told(imported, server, "reading"), "screen")
    stored = imported.store.count(Judgment)
    both = told(imported, server, "reading,openai")
    before = len(server.requests)
    reading, openai, _ = audit_judges(both, "screen")
    assert reading.cached == stored and reading.calls == 0
    assert len(server.requests) - before == openai.calls == 2 * openai.overall.n
    assert imported.store.count(Judgment) == stored + openai.overall.n


def test_judges_of_one_kind_have_names_of_their_own(imported: Workspace, server: ChatServer) -> None:
    own = {"backend": "openai", "base_url": server.url, "model": "tiny"}
    ws = Workspace.open(imported.home, judge=["first", "second"], judges={"first": own, "second": own})
    audits = audit_judges(ws, "screen")
    assert [each.judge for each in audits] == ["first", "second", "panel"]
    assert audits[0].overall == audits[1].overall == audits[2].overall


def test_an_evaluation_on_a_folder_takes_a_panel(imported: Workspace, folder: Path, server: ChatServer) -> None:
    found = evaluate_judge(told(imported, server, "reading"), "screen", folder, "reading,openai").figures
    assert found.keys() >= FIGURES and found["n"] == found["scored"]
    assert found["position_bias"] == pytest.approx(0)


def test_what_the_judges_contradict_each_other_on_comes_first_in_the_queue(
    imported: Workspace, server: ChatServer
) -> None:
    ws = told(imported, server, "first,second")
    labels = ws.store.labels("screen")
    examples = ws.store.get_many(Example, [label.example for label in labels])
    # None of these ids is drawn for an audit.
    fresh = [example.model_copy(update={"id": f"f{place:063x}"}) for place, example in enumerate(examples)]
    open_ones = [
        Prediction(
            id=f"p{place}", environment="screen", example=example.id, answer="on_task", probability=0.6,
            confidence=0.6 + place / 100, release="r", latency_ms=1.0,
        )
        for place, example in enumerate(fresh)
    ]  # fmt: skip
    ws.store.add(*fresh, *open_ones)
    for judge, score in (("first", 0.9), ("second", 0.2)):
        ws.store.add(_judgment(fresh[-1], judge, score), _judgment(fresh[0], judge, 0.8))
    queue = review_queue(ws, "screen", limit=50)
    assert [item.example.id for item in queue if item.contradicting] == [queue[0].example.id] == [fresh[-1].id]
    assert {each.judge for each in queue[0].contradicting} == {"first", "second"}
    assert not any(item.contradicting for item in review_queue(told(imported, server, "first"), "screen", limit=50))


def test_a_judge_that_is_none_is_refused(imported: Workspace) -> None:
    with pytest.raises(NightshiftError, match="no judge 'oracle'; there are: reading"):
        audit_judges(imported, "screen", judge="reading,oracle")
    with pytest.raises(NightshiftError, match="names no judge"):
        audit_judges(imported, "screen", judge=" , ")


def _judgment(example: Example, judge: str, on_task: float) -> Judgment:
    return Judgment.model_validate(
        {
            "id": f"{judge}/{example.id}", "environment": "screen", "example": example.id, "judge": judge,
            "prompt_version": "1",
            "scores": [{"answer": "on_task", "score": on_task}, {"answer": "off_task", "score": 1 - on_task}],
        }
    )  # fmt: skip
