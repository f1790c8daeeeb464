import threading
import time

import pytest
from releases import make_release, promote
from serving import WORK, picture

from app.engine import CHECK_EVERY_S, MAX_WAITING, Engine, EngineBusy
from core.schema import Example, NightshiftError
from core.services import Workspace


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def fresh(home):
    return Workspace.open(home)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def engine(fresh, clock):
    return Engine(fresh, clock=clock)


def test_it_answers_with_the_champion_and_measures_what_it_took(engine, fresh):
    answered = engine.classify("screen", picture(), WORK)
    assert answered.release == fresh.store.champion("screen") == engine.serving("screen")
    assert engine.latency_ms() == {"n": 1, "p50": answered.latency_ms, "p95": answered.latency_ms}


def test_nothing_is_loaded_before_it_is_asked_for_or_warmed_up(engine, fresh):
    assert engine.serving("screen") is None
    assert engine.latency_ms()["n"] == 0
    engine.warm_up()
    assert engine.serving("screen") == fresh.store.champion("screen")


def test_a_new_champion_is_seen_within_a_second_and_no_sooner(engine, fresh, clock):
    old = engine.classifier("screen")
    new = make_release(fresh, 2.0)
    promote(fresh, new)
    clock.now += CHECK_EVERY_S / 2
    assert engine.classifier("screen") is old
    clock.now += CHECK_EVERY_S
    assert engine.classifier("screen").release_id == new.id


def test_a_request_keeps_the_model_it_began_with(engine, fresh, clock):
    example = fresh.store.get_many(Example, [engine.classify("screen", picture(), WORK).example])
    began_with = engine.classifier("screen")
    old = fresh.store.champion("screen")
    promote(fresh, make_release(fresh, 2.0))
    clock.now += 2 * CHECK_EVERY_S
    assert engine.classifier("screen").release_id != old
    assert began_with.predict(example)[0].release == old


def test_a_champion_that_cannot_be_loaded_leaves_the_old_one_serving(engine, fresh, clock, caplog):
    old = engine.classifier("screen").release_id
    new = make_release(fresh, 2.0)
    promote(fresh, new)
    folder = fresh.registry.path(new.checkpoints["policy"])
    (folder / "model.safetensors").write_bytes(b"damaged")
    clock.now += 2 * CHECK_EVERY_S
    assert engine.classifier("screen").release_id == old
    assert "keeps its model" in caplog.text
    assert engine.classify("screen", picture(), WORK).release == old


def test_while_a_new_champion_is_loaded_the_old_one_answers(engine, fresh, clock, monkeypatch):
    old = engine.classifier("screen")
    promote(fresh, make_release(fresh, 2.0))
    clock.now += 2 * CHECK_EVERY_S
    loading, go_on = threading.Event(), threading.Event()
    find_champion = fresh.registry.champion

    def slowly(environment):
        loading.set()
        go_on.wait(20)
        return find_champion(environment)

    monkeypatch.setattr(fresh.registry, "champion", slowly)
    swap = threading.Thread(target=engine.classifier, args=("screen",))
    swap.start()
    assert loading.wait(20)
    assert engine.classifier("screen") is old
    go_on.set()
    swap.join(20)
    assert engine.classifier("screen") is not old


def test_one_thread_at_a_time_asks_the_model(engine, monkeypatch):
    classifier = engine.classifier("screen")
    inside, most = 0, 0
    ask = classifier.policy.answer_logprobs

    def counted(batch):
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        time.sleep(0.01)
        try:
            return ask(batch)
        finally:
            inside -= 1

    monkeypatch.setattr(classifier.policy, "answer_logprobs", counted)
    threads = [threading.Thread(target=engine.classify, args=("screen", picture(), f"{WORK} {n}")) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert engine.latency_ms()["n"] == 6
    assert most == 1


def test_when_too_many_wait_the_next_is_sent_away(engine):
    for _ in range(MAX_WAITING):
        engine._places.acquire()
    with pytest.raises(EngineBusy):
        engine.classify("screen", picture(), WORK)


def test_what_is_refused_gives_its_place_back(engine):
    for _ in range(MAX_WAITING + 1):
        with pytest.raises(NightshiftError, match="text file"):
            engine.classify("screen", b"hello", WORK)


def test_an_unknown_environment_is_refused(engine):
    with pytest.raises(NightshiftError, match="films"):
        engine.classify("films", picture(), WORK)
