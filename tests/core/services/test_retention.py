"""Screens that nobody gave feedback on go once they are old; all else stays."""

from datetime import timedelta

import pytest
from labelled_folder import Pair

from app.watching import Spool
from core.schema import Media, NightshiftError, Prediction, Run, StageResult, new_id, now
from core.services import Classifier, Workspace, classify, correct, doctor, night, retain, undo
from core.services.night.record import lease_name
from core.services.retention import pictures_due


@pytest.fixture
def aged(ws: Workspace, pairs: list[Pair]) -> dict[str, Prediction]:
    """Four screens that came forty days ago: forgotten, corrected, taken back, and sent again today."""
    champion = Classifier.of_champion(ws, "screen")
    said = {
        name: classify(ws, champion, pair.data, pair.ask, name=pair.file)
        for name, pair in zip(("forgotten", "corrected", "taken back", "sent again"), pairs[::2], strict=False)
    }
    correct(ws, said["corrected"].id, "on_task")
    correct(ws, said["taken back"].id, "on_task")
    undo(ws, said["taken back"].id)
    for kind in (Media, Prediction):
        old = [each.model_copy(update={"at": now() - timedelta(days=40)}) for each in ws.store.find(kind)]
        ws.store.erase({}, replaced=old)
    again = pairs[6]
    classify(ws, champion, again.data, again.ask, name=again.file)
    return said


def media(ws: Workspace, *said: Prediction) -> set[str]:
    from core.schema import Example

    return {
        picture for example in ws.store.get_many(Example, [each.example for each in said]) for picture in example.media
    }


def test_only_what_nobody_spoke_of_and_nobody_sent_again_is_due(ws: Workspace, aged: dict[str, Prediction]) -> None:
    assert set(pictures_due(ws)) == media(ws, aged["forgotten"])


@pytest.mark.parametrize("days", [0, None, 41])
def test_it_can_be_switched_off_and_takes_its_time(
    ws: Workspace, aged: dict[str, Prediction], days: float | None
) -> None:
    assert aged
    other = Workspace.open(ws.home, retention={"without_feedback_days": days})
    assert pictures_due(other) == []
    assert retain(other)["erased"] == {}


def test_a_dry_run_counts_and_changes_nothing(ws: Workspace, aged: dict[str, Prediction]) -> None:
    before = ws.store.tables()
    assert aged
    told = retain(ws, dry_run=True)
    assert (told["due"], told["erased"], told["without_feedback_days"]) == (1, {}, 30.0)
    assert ws.store.tables() == before


def test_what_is_due_is_erased_as_if_it_had_been_asked_for(ws: Workspace, aged: dict[str, Prediction]) -> None:
    done = retain(ws)
    assert done["erased"]["media"] == 1 and done["proof"]["ok"], done["proof"]["found"]
    assert {each.example for each in ws.store.find(Prediction)} == {
        said.example for name, said in aged.items() if name != "forgotten"
    }
    assert retain(ws)["due"] == 0


def test_the_night_begins_with_it_and_does_it_once(ws: Workspace, aged: dict[str, Prediction]) -> None:
    run = night.begin(ws, "screen")
    with ws.store.lease(lease_name("screen"), "a night", 60) as lease:
        first = night.retention(ws, run, lease)
        assert first.result == {"erased": 1}
        assert ws.store.get(Prediction, aged["forgotten"].id) is None
        assert night.retention(ws, run, lease) == first
    assert night.nights(ws, "screen")[0]["stage"] == "ingest"


def test_a_night_that_was_begun_without_it_is_left_alone(ws: Workspace, aged: dict[str, Prediction]) -> None:
    assert aged
    run = Run(id=new_id(), environment="screen", seed=1, config=night.begin(ws, "screen").config)
    ingested = StageResult(id=night.record.stage_id(run.id, "ingest"), run=run.id, stage="ingest", result={}, seconds=1)
    ws.store.add(run, ingested)
    with ws.store.lease(lease_name("screen"), "a night", 60) as lease:
        assert night.retention(ws, run, lease).result == {"erased": 0}
    assert len(pictures_due(ws)) == 1


def test_it_is_refused_while_a_night_runs(ws: Workspace, aged: dict[str, Prediction]) -> None:
    assert aged
    with (
        ws.store.lease(lease_name("screen"), "a night", 60),
        pytest.raises(NightshiftError, match="nothing was erased"),
    ):
        retain(ws)
    assert len(pictures_due(ws)) == 1


def test_what_waits_unanswered_goes_at_the_same_age(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(ws.settings.watch_dir / "server")
    with monkeypatch.context() as patch:
        patch.setattr("core.schema.base.time.time_ns", lambda: int((now() - timedelta(days=31)).timestamp() * 1e9))
        spool.add_screen(b"old", {"work": "w", "session": "s"})
    young = spool.add_screen(b"young", {"work": "w", "session": "s"})
    assert retain(ws, dry_run=True)["due"] == 1 and len(spool.waiting()) == 2
    assert retain(ws)["erased"] == {"waiting_screens": 1}
    assert [each.id for each in spool.waiting()] == [young]


def test_the_doctor_says_what_is_due(ws: Workspace, aged: dict[str, Prediction]) -> None:
    assert aged
    (found,) = [each for each in doctor(ws.home) if each.name == "erasure"]
    assert found.ok and "1 screens without feedback for 30 days" in found.what
