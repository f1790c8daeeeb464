import threading

import pytest
from releases import make_release, promote
from serving import WORK, picture

from app.engine import DeadlinePassed, Engine, EngineBusy, EngineStopping, Wanted
from core.schema import Media, NightshiftError, Prediction
from core.services import Workspace, correct


@pytest.fixture
def fresh(home):
    return Workspace.open(home, engine={"places": 8, "batch": 4})


@pytest.fixture
def engine(fresh):
    engine = Engine(fresh)
    yield engine
    engine.close()


class Gate:
    """Holds up who goes through it."""

    def __init__(self, monkeypatch, target, name):
        self.reached, self.go_on, self.calls = threading.Event(), threading.Event(), []
        inner = getattr(target, name)

        def held_up(*args, **kwargs):
            self.calls.append(args)
            self.reached.set()
            assert self.go_on.wait(30)
            return inner(*args, **kwargs)

        monkeypatch.setattr(target, name, held_up)


def number(metric, **labels):
    """What a counter stands at, or what a histogram sums to."""
    for sample in metric.collect()[0].samples:
        if sample.name.endswith(("_total", "_sum")) and sample.labels == labels:
            return sample.value
    return 0.0


def test_it_answers_with_the_champion_and_measures_what_it_took(engine, fresh):
    answered = engine.classify("screen", picture(), WORK)
    assert answered.release == fresh.store.champion("screen") == engine.serving("screen")
    assert engine.latency_ms() == {"n": 1, "p50": answered.latency_ms, "p95": answered.latency_ms}


def test_feedback_on_an_answer_is_taken_at_once(engine, fresh):
    answered = engine.classify("screen", picture(), WORK)
    assert correct(fresh, answered.id, "off_task").prediction == answered.id


def test_nothing_is_loaded_before_it_is_asked_for_or_looked_at(engine, fresh):
    assert engine.serving("screen") is None
    assert engine.latency_ms()["n"] == 0
    engine.seats.look()
    assert engine.serving("screen") == fresh.store.champion("screen")


def test_a_new_champion_is_loaded_and_warmed_up_before_it_takes_its_seat(engine, fresh, monkeypatch):
    engine.seats.look()
    old = engine.serving("screen")
    new = make_release(fresh, 2.0)
    promote(fresh, new)
    warming = Gate(monkeypatch, type(engine.classifier("screen")), "warm_up")
    swap = threading.Thread(target=engine.seats.look)
    swap.start()
    assert warming.reached.wait(30)
    assert engine.classify("screen", picture(), WORK).release == old
    warming.go_on.set()
    swap.join(30)
    assert engine.classify("screen", picture(), WORK).release == new.id


def test_a_picture_keeps_the_model_it_was_read_for(engine, fresh, monkeypatch):
    engine.seats.look()
    old = engine.classifier("screen")
    asking = Gate(monkeypatch, old, "predict")
    (future,) = engine.submit("screen", [Wanted(picture(), WORK)])
    assert asking.reached.wait(30)
    new = make_release(fresh, 2.0)
    promote(fresh, new)
    engine.seats.look()
    asking.go_on.set()
    assert future.result(30).release == old.release_id
    assert engine.classify("screen", picture(), WORK).release == new.id


def test_a_champion_that_cannot_be_loaded_leaves_the_old_one_serving_and_is_told_of_once(engine, fresh, caplog):
    old = engine.classifier("screen").release_id
    new = make_release(fresh, 2.0)
    promote(fresh, new)
    (fresh.registry.path(new.checkpoints["policy"]) / "model.safetensors").write_bytes(b"damaged")
    engine.seats.look()
    engine.seats.look()
    assert engine.serving("screen") == old
    assert caplog.text.count("keeps its model") == 1
    assert engine.classify("screen", picture(), WORK).release == old
    assert number(engine.metrics.swaps, environment="screen", outcome="failed") == 2


def test_what_waits_together_is_answered_by_one_call_of_the_model(engine, monkeypatch):
    classifier = engine.classifier("screen")
    asking = Gate(monkeypatch, classifier, "predict")
    first = engine.submit("screen", [Wanted(picture(), WORK)])
    assert asking.reached.wait(30)
    others = engine.submit("screen", [Wanted(picture(), f"{WORK} {n}") for n in (1, 2, 3)])
    same = engine.submit("screen", [Wanted(picture(), f"{WORK} 3")])
    while len(engine._verdicts) < 4:
        pass
    asking.go_on.set()
    answered = [future.result(30) for future in (*first, *others, *same)]
    assert [len(examples) for (examples,) in asking.calls] == [1, 3]
    assert len({each.id for each in answered}) == 5
    assert len({each.example for each in answered}) == 4


def test_when_too_many_are_under_way_the_next_is_sent_away_with_a_time_to_come_back(engine, monkeypatch):
    asking = Gate(monkeypatch, engine.classifier("screen"), "predict")
    futures = engine.submit("screen", [Wanted(picture(), f"{WORK} {n}") for n in range(8)])
    with pytest.raises(EngineBusy) as busy:
        engine.classify("screen", picture(), WORK)
    assert busy.value.retry_after_s >= 1
    asking.go_on.set()
    assert all(future.result(30) for future in futures)
    assert engine.classify("screen", picture(), WORK)


def test_of_several_all_are_taken_on_or_none(engine, monkeypatch):
    asking = Gate(monkeypatch, engine.classifier("screen"), "predict")
    first = engine.submit("screen", [Wanted(picture(), f"{WORK} {n}") for n in range(6)])
    with pytest.raises(EngineBusy):
        engine.submit("screen", [Wanted(picture(), f"{WORK} {n}") for n in range(6, 9)])
    last = engine.submit("screen", [Wanted(picture(), f"{WORK} {n}") for n in range(6, 8)])
    asking.go_on.set()
    assert all(future.result(30) for future in (*first, *last))


def test_more_at_once_than_there_are_places_is_refused_for_good(engine):
    with pytest.raises(NightshiftError, match=r"9 pictures .*engine\.places is 8.* fewer") as refused:
        engine.submit("screen", [Wanted(picture(), WORK)] * 9)
    assert not isinstance(refused.value, EngineBusy)
    assert engine.classify("screen", picture(), WORK)


def test_a_count_that_fails_takes_no_answer_and_no_place(engine, monkeypatch, caplog):
    def broken(*told):
        raise RuntimeError(f"no metrics for {len(told)}")

    monkeypatch.setattr(engine.metrics.verdicts, "labels", broken)
    futures = engine.submit("screen", [Wanted(picture(), f"{WORK} {n}") for n in range(8)])
    assert all(future.result(30) for future in futures)
    assert "no metrics for 3" in caplog.text
    assert all(future.result(30) for future in engine.submit("screen", [Wanted(picture(), WORK)] * 8))


def test_what_is_refused_gives_its_place_back(engine):
    for _ in range(9):
        with pytest.raises(NightshiftError, match="text file"):
            engine.classify("screen", b"hello", WORK)


def test_an_unknown_environment_is_refused(engine):
    with pytest.raises(NightshiftError, match="films"):
        engine.classify("films", picture(), WORK)


def test_what_nobody_waits_for_any_more_is_not_done(engine, fresh, monkeypatch):
    engine.classifier("screen")
    asking = Gate(monkeypatch, engine.classifier("screen"), "predict")
    first = engine.submit("screen", [Wanted(picture(), WORK)])
    assert asking.reached.wait(30)
    late = engine.submit("screen", [Wanted(picture(), f"{WORK} late")], deadline_s=0.01)
    gone = engine.submit("screen", [Wanted(picture(), f"{WORK} gone")])
    assert gone[0].cancel()
    with pytest.raises(DeadlinePassed, match=r"0\.01 s"):
        engine.classify("screen", picture(), f"{WORK} later", deadline_s=0.01)
    asking.go_on.set()
    with pytest.raises(DeadlinePassed):
        late[0].result(30)
    assert first[0].result(30)
    engine.close()
    assert [len(examples) for (examples,) in asking.calls] == [1]
    assert fresh.store.count(Prediction) == 1


def test_a_stop_answers_what_was_begun_and_takes_nothing_on(engine, fresh, monkeypatch):
    asking = Gate(monkeypatch, engine.classifier("screen"), "predict")
    futures = engine.submit("screen", [Wanted(picture(), f"{WORK} {n}") for n in range(6)])
    assert asking.reached.wait(30)
    stop = threading.Thread(target=engine.close)
    stop.start()
    asking.go_on.set()
    stop.join(30)
    done = {future.result(0).id for future in futures if future.exception(0) is None}
    assert done == {each.id for each in fresh.store.find(Prediction)}
    assert len(done) >= 1
    with pytest.raises(EngineStopping):
        engine.classify("screen", picture(), WORK)


def test_a_file_that_came_before_is_not_looked_at_again_unless_it_was_erased(engine, fresh):
    engine.classify("screen", picture(), WORK)
    engine.classify("screen", picture(), WORK)
    assert (fresh.library.hits["picture"], fresh.library.misses["picture"]) == (1, 1)
    (media,) = fresh.store.find(Media)
    fresh.blobs.delete(media.blob)
    engine.classify("screen", picture(), WORK)
    assert fresh.blobs.exists(media.blob)
    assert fresh.library.misses["picture"] == 2
