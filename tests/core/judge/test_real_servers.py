"""The judge against servers that people use: vLLM and `transformers serve`, alone and behind a proxy that damages what
passes. One server a module; its processes end with it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from chat_server import FaultProxy, running
from memory_library import MemoryLibrary
from screen_questions import examples

from core.environments import environment
from core.environments.screen.prompt import JUDGE_PROMPT
from core.judge import GroupPrompt, RemoteJudge, remote_judge
from core.reward import Question, combine, reward_parts
from core.schema import Example, Judgment
from core.settings import JudgingSettings, Settings

ANSWERS = ("on_task", "off_task")
START_S = 400.0
FAULTS = ["status:503,Retry-After: 0", "reset", "cut", "body:this is no JSON", "status:429,Retry-After: 0"]


@contextmanager
def served(command: list[str], port: int, log: Path) -> Iterator[str]:
    """The URL of a server of its own, with all its processes in a session that ends with the block."""
    environment_ = {
        **os.environ, "HF_HUB_OFFLINE": "1", "VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_CPU_OMP_THREADS_BIND": "nobind",
        "VLLM_NO_USAGE_STATS": "1", "OMP_NUM_THREADS": "1", "DO_NOT_TRACK": "1",
    }  # fmt: skip
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment_, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        deadline = time.monotonic() + START_S
        while not _is_healthy(port):
            assert process.poll() is None, log.read_text(errors="replace")[-3000:]
            assert time.monotonic() < deadline, log.read_text(errors="replace")[-3000:]
            time.sleep(0.3)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        for sign, seconds in ((signal.SIGTERM, 20), (signal.SIGKILL, None)):
            with suppress(ProcessLookupError, subprocess.TimeoutExpired):
                os.killpg(process.pid, sign)
                process.wait(seconds)


def _is_healthy(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def vllm(lettered: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if find_spec("vllm") is None:
        pytest.skip("vLLM is not installed; `make vllm` installs it")
    port = _free_port()
    # What `vllm serve` runs; the command itself does not start where vLLM was built for CPUs.
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(lettered)]
    command += [
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--served-model-name",
        "tiny",
        "--dtype",
        "float32",
        "--enforce-eager",
    ]
    command += ["--max-model-len", "2048", "--limit-mm-per-prompt", '{"image": 1}']
    with served(command, port, tmp_path_factory.mktemp("vllm") / "log") as url:
        yield url


@pytest.fixture(scope="module")
def transformers(lettered: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = _free_port()
    command = [str(Path(sys.executable).with_name("transformers")), "serve", str(lettered), "--host", "127.0.0.1"]
    command += ["--port", str(port), "--device", "cpu", "--dtype", "float32"]
    with served(command, port, tmp_path_factory.mktemp("transformers") / "log") as url:
        yield url


def judge_at(url: str, model: str = "tiny", **settings: object) -> RemoteJudge:
    patient = {"base_url": url, "model": model, "timeout_s": 60.0, "deadline_s": 120.0, "tries": 4}
    return remote_judge("openai", JUDGE_PROMPT, JudgingSettings(**{**patient, **settings}))


def all_judged(judge: RemoteJudge, asked: list[Example], library: MemoryLibrary) -> list[Judgment]:
    said = {each.example: each for page in judge.judge_all(asked, library) for each in page}
    return [said[example.id] for example in asked]


def test_vllm_says_what_the_same_model_says_within_this_process(
    vllm: str, lettered: Path, library: MemoryLibrary
) -> None:
    asked = examples(library, 3)
    theirs = all_judged(judge_at(vllm), asked, library)
    ours = all_judged(remote_judge("transformers", JUDGE_PROMPT, JudgingSettings(model=str(lettered))), asked, library)
    assert [each.unscored for each in theirs] == [None] * 3
    for their, our in zip(theirs, ours, strict=True):
        assert their.score_of("on_task") == pytest.approx(our.score_of("on_task"), abs=0.03)
        # A model of random weights mostly likes a letter, which both orders together hide.
        assert their.position_bias == pytest.approx(our.position_bias, abs=0.03)
    assert any(abs(each.position_bias or 0.0) > 0.02 for each in theirs)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_before_vllm_costs_a_try_and_no_score(vllm: str, library: MemoryLibrary, fault: str) -> None:
    (example,) = examples(library, 1)
    clean = judge_at(vllm).judge(example, ANSWERS, library)
    proxy = FaultProxy(SimpleNamespace(url=vllm), [fault, ""])  # type: ignore[arg-type]
    with running(proxy):
        judgment = judge_at(proxy.url).judge(example, ANSWERS, library)
    assert judgment.score_of("on_task") == pytest.approx(clean.score_of("on_task"), abs=1e-3)
    assert judgment.calls == proxy.seen == 3


def test_a_fault_that_stays_ends_unscored_in_time_and_costs_a_right_answer_nothing(
    vllm: str, library: MemoryLibrary, tmp_path: Path
) -> None:
    (example,) = examples(library, 1)
    proxy = FaultProxy(SimpleNamespace(url=vllm), ["hang"])  # type: ignore[arg-type]
    started = time.monotonic()
    with running(proxy):
        judgment = judge_at(proxy.url, timeout_s=1.0, deadline_s=4.0, tries=2).judge(example, ANSWERS, library)
    assert judgment.transient and judgment.unscored
    assert time.monotonic() - started < 60
    rewards = environment("screen").rewards(Settings(home=tmp_path), judge_share=1.0)
    parts = reward_parts(Question(example=example, label="on_task", judgment=judgment), "on_task", rewards)
    assert combine(parts, rewards, label_says=None) == 1.0


def test_vllm_holds_a_group_of_free_answers_to_the_schema(vllm: str, library: MemoryLibrary) -> None:
    prompt = GroupPrompt(system="Score.", question="{ask}\n{answers}\nScore them.")
    judge = remote_judge(
        "openai", prompt, JudgingSettings(base_url=vllm, model="tiny", timeout_s=60.0, deadline_s=120.0, tries=2)
    )
    judgment = judge.judge(Example.make("reports", (), "Which?"), ["good", "bad", "good"], library)
    # A model that knows nothing may babble in its reason until it is cut off; else its scores fit.
    assert judgment.unscored is None or "cut off" in judgment.unscored
    assert judgment.calls == 1 and not judgment.transient


def test_a_model_that_vllm_does_not_have_stops_all_calls(vllm: str, library: MemoryLibrary) -> None:
    judged = all_judged(judge_at(vllm, model="another", concurrency=2), examples(library, 6), library)
    assert all(each.transient and "no such model" in (each.unscored or "") for each in judged)
    assert sum(each.calls for each in judged) <= 4


def test_a_server_that_knows_neither_log_probabilities_nor_schemas_is_asked_in_words(
    transformers: str, lettered: Path, library: MemoryLibrary
) -> None:
    judge = judge_at(transformers, model=str(lettered), concurrency=1)
    judged = all_judged(judge, examples(library, 2), library)
    for each in judged:
        assert each.scores == () and not each.transient, "what it answered is no verdict, and it was answered"
        assert "no clear verdict" in (each.unscored or "") or "cut off" in (each.unscored or "")


def test_a_fault_before_transformers_serve_is_tried_again(
    transformers: str, lettered: Path, library: MemoryLibrary
) -> None:
    (example,) = examples(library, 1)
    proxy = FaultProxy(SimpleNamespace(url=transformers), ["reset", "status:500", ""])  # type: ignore[arg-type]
    with running(proxy):
        judgment = judge_at(proxy.url, model=str(lettered), concurrency=1, verdict="json").judge(
            example, ANSWERS, library
        )
    assert not judgment.transient and proxy.seen >= 3
