"""Every fault ends as unscored with its reason, or as a try that succeeds; nothing lasts past its deadline."""

import time
from email.utils import formatdate

import pytest
from chat_server import ChatServer, FaultProxy, running
from memory_library import MemoryLibrary
from screen_questions import Judge, examples

from core.environments import environment
from core.reward import Question, combine, reward_parts
from core.schema import Example, Judgment
from core.settings import Settings

ANSWERS = ("on_task", "off_task")
PASSING = [
    "status:500", "status:503,Retry-After: 0", "status:429,Retry-After: 0", "hang", "reset", "cut", "drip",
    "body:this is no JSON", "body:{}", 'body:{"choices": []}', "body:[[[[", 'body:{"choices": [{"message": 7}]}',
    "body:" + "[" * 100_000, "huge",
]  # fmt: skip


def judged(
    judge_at: Judge, faults: list[str], library: MemoryLibrary, **settings: object
) -> tuple[Judgment, FaultProxy]:
    upstream = ChatServer()
    proxy = FaultProxy(upstream, faults)
    with running(upstream, proxy):
        (example,) = examples(library, 1)
        quick = {"timeout_s": 0.3, "deadline_s": 3.0}
        started = time.monotonic()
        judgment = judge_at(proxy.url, **{**quick, **settings}).judge(example, ANSWERS, library)
        assert time.monotonic() - started < 6
    return judgment, proxy


@pytest.mark.parametrize("fault", PASSING, ids=lambda fault: fault[:30])
def test_a_fault_that_passes_costs_a_try_and_nothing_else(judge_at: Judge, library: MemoryLibrary, fault: str) -> None:
    judgment, proxy = judged(judge_at, [fault, fault, ""], library)
    assert judgment.score_of("on_task") == pytest.approx(0.9)
    assert judgment.calls == proxy.seen == 4


@pytest.mark.parametrize(
    "fault",
    [*PASSING, "status:401", "status:404", "status:400", "status:302,Location: /"],
    ids=lambda fault: fault[:30],
)
def test_a_fault_that_stays_is_unscored_with_its_reason_and_asked_again_another_night(
    judge_at: Judge, library: MemoryLibrary, fault: str
) -> None:
    judgment, _ = judged(judge_at, [fault], library, tries=2)
    assert judgment.scores == () and judgment.unscored
    assert judgment.transient and judgment.id != judge_at("http://x/v1").judgment_id(*_question(library))


def test_no_fault_costs_a_correct_answer_reward(
    judge_at: Judge, library: MemoryLibrary, tmp_path_factory: pytest.TempPathFactory
) -> None:
    judgment, _ = judged(judge_at, ["status:500"], library, tries=1)
    rewards = environment("screen").rewards(Settings(home=tmp_path_factory.mktemp("home")), judge_share=1.0)
    example, _ = _question(library)
    question = Question(example=example, label="on_task", judgment=judgment)
    parts = reward_parts(question, "on_task", rewards)
    assert parts["judge"] is None
    assert combine(parts, rewards, label_says=None) == 1.0


@pytest.mark.parametrize("when", ["1", "date"])
def test_a_busy_server_is_left_alone_for_as_long_as_it_asks(judge_at: Judge, library: MemoryLibrary, when: str) -> None:
    value = formatdate(time.time() + 2, usegmt=True) if when == "date" else when
    judgment, proxy = judged(judge_at, [f"status:429,Retry-After: {value}", ""], library, deadline_s=5.0, concurrency=1)
    assert judgment.unscored is None
    assert proxy.at[1] - proxy.at[0] >= 0.9


def test_a_wait_past_the_deadline_is_not_waited_for(judge_at: Judge, library: MemoryLibrary) -> None:
    started = time.monotonic()
    judgment, proxy = judged(judge_at, ["status:429,Retry-After: 3600"], library)
    assert "3600 s to wait" in (judgment.unscored or "") or "asks for" in (judgment.unscored or "")
    assert time.monotonic() - started < 2 and proxy.seen <= 2


def test_a_deadline_ends_a_judgment_whatever_the_server_does(judge_at: Judge, library: MemoryLibrary) -> None:
    started = time.monotonic()
    judgment, _ = judged(judge_at, ["hang"], library, timeout_s=30.0, deadline_s=0.5)
    assert judgment.unscored == "no judgment within 0.5 s"
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    "body",
    [
        '{"choices": [{"finish_reason": "stop", "message": {"content": null, "refusal": "I will not."}}]}',
        '{"choices": [{"finish_reason": "content_filter", "message": {"content": "A"}}]}',
    ],
)
def test_a_refusal_is_unscored_for_good_and_not_asked_again(judge_at: Judge, library: MemoryLibrary, body: str) -> None:
    judgment, _ = judged(judge_at, [f"body:{body}"], library)
    assert "refuses" in (judgment.unscored or "") and not judgment.transient


def test_the_key_is_in_no_reason(judge_at: Judge, library: MemoryLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "sk-secret")
    for fault in ("body:you sent sk-secret", "status:401"):
        judgment, _ = judged(judge_at, [fault], library, key_env="MY_KEY", tries=1)
        assert judgment.unscored and "sk-secret" not in judgment.model_dump_json()


def test_a_server_that_is_down_is_soon_left_alone(judge_at: Judge, library: MemoryLibrary) -> None:
    upstream = ChatServer()
    proxy = FaultProxy(upstream, ["status:500"])
    with running(upstream, proxy):
        judge = judge_at(proxy.url, breaker_failures=4, breaker_pause_s=0.05, concurrency=2)
        judgments = [each for page in judge.judge_all(examples(library, 60), library) for each in page]
    assert len(judgments) == 60 and all(each.transient for each in judgments)
    assert "given up" in (judgments[-1].unscored or "")
    assert proxy.seen < 15


def test_a_server_that_comes_back_is_asked_again(judge_at: Judge, library: MemoryLibrary) -> None:
    upstream = ChatServer()
    proxy = FaultProxy(upstream, ["status:500"] * 5 + [""])
    with running(upstream, proxy):
        judge = judge_at(proxy.url, breaker_failures=3, breaker_pause_s=0.05, concurrency=2, tries=5)
        judgments = [each for page in judge.judge_all(examples(library, 10), library) for each in page]
    assert all(each.unscored is None for each in judgments)


def test_a_refused_key_stops_all_calls(judge_at: Judge, library: MemoryLibrary) -> None:
    upstream = ChatServer()
    proxy = FaultProxy(upstream, ["status:401"])
    with running(upstream, proxy):
        judge = judge_at(proxy.url, concurrency=2)
        judgments = [each for page in judge.judge_all(examples(library, 30), library) for each in page]
    assert all("refuses the key" in (each.unscored or "") for each in judgments) and proxy.seen <= 4


def test_a_server_that_is_not_there_is_a_reason(judge_at: Judge, library: MemoryLibrary) -> None:
    (example,) = examples(library, 1)
    judgment = judge_at("http://127.0.0.1:9/v1").judge(example, ANSWERS, library)
    assert judgment.transient and "Connect" in (judgment.unscored or "")


def _question(library: MemoryLibrary) -> tuple[Example, tuple[str, ...]]:
    return examples(library, 1)[0], ANSWERS
