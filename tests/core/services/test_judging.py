"""Judgments of many examples, by a server that is real and behind a proxy that damages its answers."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from chat_server import ChatServer, FaultProxy, running
from memory_library import MemoryLibrary
from screen_questions import examples

from core.environments import environment
from core.judge import Judge
from core.schema import Judgment, NightshiftError
from core.services import Workspace, evaluate_judge
from core.services.judging import judge_examples, stored_judgments
from core.settings import load_settings
from core.store import Store, open_store

KEYS = {
    "n", "scored", "accuracy", "kappa", "kappa_ci95", "ece", "position_bias", "calls", "cached", "cost_usd",
    "seconds", "by_category",
}  # fmt: skip


@pytest.fixture
def server() -> Iterator[ChatServer]:
    serving = ChatServer()
    with running(serving):
        yield serving


@pytest.fixture
def store(home: Path) -> Store:
    return open_store(f"duckdb:///{home / 'judgments.duckdb'}")


def teacher(home: Path, url: str, **judging: object) -> Judge:
    quick = {"base_url": url, "model": "tiny", "timeout_s": 1.0, "deadline_s": 5.0, "tries": 1, "concurrency": 2}
    return environment("screen").judge(load_settings(home, judge="openai", judging={**quick, **judging}))


def test_a_second_night_over_the_same_questions_makes_no_call(
    home: Path, server: ChatServer, store: Store, library: MemoryLibrary
) -> None:
    asked = examples(library, 5)
    first = judge_examples(store, teacher(home, server.url), asked, library)
    again = judge_examples(store, teacher(home, server.url), asked, library)
    assert (first.calls, again.calls, len(server.requests)) == (10, 0, 10)
    assert again.of_example == first.of_example


def test_half_a_nights_judgments_are_kept_when_the_other_half_fails(
    home: Path, server: ChatServer, store: Store, library: MemoryLibrary
) -> None:
    asked = examples(library, 20)
    proxy = FaultProxy(server, [""] * 20 + ["status:500"])
    with running(proxy):
        judge = teacher(home, proxy.url)
        judged = judge_examples(store, judge, asked, library)
        assert len(judged.of_example) == 20
        scored = [each for each in judged.made if each.unscored is None]
        assert len(scored) in range(8, 11)
        assert store.count(Judgment) == 20
        proxy.faults, proxy.seen = [""], 0
        again = judge_examples(store, judge, asked, library)
    assert all(each.unscored is None for each in again.of_example.values())
    assert again.calls == 2 * (20 - len(scored)) == proxy.seen


def test_judgments_are_in_the_store_before_the_night_ends(
    home: Path, server: ChatServer, store: Store, library: MemoryLibrary
) -> None:
    asked = examples(library, 12)
    kept: list[int] = []
    judge_examples(store, teacher(home, server.url), asked, library, told=lambda *_: kept.append(store.count(Judgment)))
    assert kept == sorted(kept) and kept[-1] == 12
    with pytest.raises(KeyboardInterrupt):
        judge_examples(store, teacher(home, server.url, model="other"), asked, library, told=_interrupt)
    assert store.count(Judgment) > 12


def test_a_spent_budget_is_no_answer_and_is_asked_again(
    home: Path, server: ChatServer, store: Store, library: MemoryLibrary
) -> None:
    asked = examples(library, 3)
    poor = teacher(home, server.url, hard_tokens=0)
    assert all(each.transient for each in judge_examples(store, poor, asked, library).made)
    assert stored_judgments(store, poor, asked) == {}
    assert judge_examples(store, teacher(home, server.url), asked, library).calls == 6


def test_a_judge_is_measured_on_a_folder_and_not_paid_for_twice(home: Path, folder: Path, server: ChatServer) -> None:
    prices = {"usd_per_million_input": 1.0, "usd_per_million_output": 1.0}
    ws = Workspace.open(home, judging={"base_url": server.url, "model": "tiny", **prices})
    found = evaluate_judge(ws, "screen", folder, "openai").figures
    assert found.keys() == KEYS
    assert found["n"] == found["scored"] and found["calls"] == 2 * found["n"] and found["cost_usd"] > 0
    assert found["kappa"] == pytest.approx(0) and found["position_bias"] == pytest.approx(0)
    assert sum(of["n"] for of in found["by_category"].values()) == found["n"]
    again = evaluate_judge(ws, "screen", folder, "openai").figures
    assert (again["calls"], again["cached"], again["cost_usd"]) == (0, again["n"], 0)
    assert again["accuracy"] == found["accuracy"]


def test_a_judge_that_lacks_a_setting_is_refused(home: Path, folder: Path) -> None:
    with pytest.raises(NightshiftError, match=r"judging\.model"):
        evaluate_judge(Workspace.open(home), "screen", folder, "openai")


def test_the_slow_server_of_the_benchmark_answers_as_a_chat_server_does(
    home: Path, store: Store, library: MemoryLibrary
) -> None:
    from core.services.bench import slow_server

    process = subprocess.Popen(
        [sys.executable, slow_server.__file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        url = f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        judged = judge_examples(store, teacher(home, url), examples(library, 2), library)
    finally:
        process.terminate()
        process.wait()
    assert [each.unscored for each in judged.made] == [None, None]
    assert json.loads(judged.made[0].model_dump_json())["position_bias"] == pytest.approx(0.409, abs=0.01)


def _interrupt(made: int, wanted: int) -> None:  # noqa: ARG001
    if made:
        raise KeyboardInterrupt
