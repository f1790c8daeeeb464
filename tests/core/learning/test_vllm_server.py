"""A vLLM server, as its own documentation starts it, draws for a training through its OpenAI-compatible address."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from rollout_checks import (
    SAMPLING,
    SETTINGS,
    asked_of,
    draws_what_the_student_says,
    pictures,
    sees_each_refresh_and_nothing_before,
    student_of,
)

from core.learning import Rewarding, TrainingItem, train
from core.learning.rollouts import Asked, RolloutEngine, rollout_engine
from core.policy.vlm.policy import VlmPolicy
from core.reward import Reward
from core.schema import NightshiftError
from core.services.bench.verdicts import vllm_is_installed
from core.settings import LearningSettings

pytestmark = [
    pytest.mark.soak,  # a server and an engine of vLLM start for it
    pytest.mark.skipif(not vllm_is_installed(), reason="vLLM is not installed here; `make vllm` installs it"),
]

START_S = 540.0
ENVIRONMENT = {
    "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "True",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "VLLM_NO_USAGE_STATS": "1",
    "OMP_NUM_THREADS": "1",
}


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> VlmPolicy:
    return student_of(tmp_path_factory.mktemp("student"))


@pytest.fixture(scope="module")
def address(student: VlmPolicy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(student.folder)]
    command += ["--enable-lora", "--max-lora-rank", "8", "--dtype", "float32", "--enforce-eager"]
    command += ["--max-model-len", "1024", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--limit-mm-per-prompt", json.dumps({"image": 4})]
    log = tmp_path_factory.mktemp("server") / "log"
    with log.open("wb") as file:
        process = subprocess.Popen(command, env={**os.environ, **ENVIRONMENT}, stdout=file, stderr=file)
    try:
        wait_for(f"http://127.0.0.1:{port}/health", process, log)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait(60)


@pytest.fixture(scope="module")
def settings(address: str, tmp_path_factory: pytest.TempPathFactory) -> LearningSettings:
    told = {
        "rollouts": "vllm_server",
        "rollout_url": address,
        "rollout_adapters": str(tmp_path_factory.mktemp("shared")),
    }
    return SETTINGS.model_copy(update=told)


@pytest.fixture(scope="module")
def running(student: VlmPolicy, settings: LearningSettings) -> Iterator[tuple[RolloutEngine, VlmPolicy, list[Asked]]]:
    library = pictures()
    engine = rollout_engine(student, settings, library)
    yield engine, student, asked_of(student, library)
    engine.close()


def test_it_draws_what_the_student_says(running):
    draws_what_the_student_says(*running)


def test_it_sees_each_refresh_and_nothing_before(running):
    sees_each_refresh_and_nothing_before(*running)


def test_a_training_draws_there_and_leaves_nothing_behind(student, settings, address, tmp_path):
    library = pictures()
    items = [TrainingItem(example=each.example, origin="correction") for each in asked_of(student, library)]
    features = student.encode([item.example for item in items], library)
    rewarding = Rewarding((Reward("short", 1.0, lambda _, text: float(len(text) < 12)),), library)
    short = settings.model_copy(update={"steps": 3, "batch_size": 3, "sync_steps": 2, "learning_rate": 1e-3})
    before = served(address)
    result = train(items, features, student, short, seed=0, out=tmp_path / "out", rewarding=rewarding)
    steps = [json.loads(line) for line in (result.directory / "steps.jsonl").read_text().splitlines()]
    assert len(steps) == 3
    assert max(step["mismatch"] for step in steps) < 1e-4
    assert served(address) == before


def test_an_engine_that_lost_its_adapter_is_an_error_and_not_another_policy(running, address):
    engine, student, asked = running
    engine.refresh(student)
    loaded = served(address) - {str(student.folder)}
    httpx.post(f"{address}/unload_lora_adapter", json={"lora_name": min(loaded)}).raise_for_status()
    with pytest.raises(NightshiftError, match="answered 404"):
        engine.draw(asked, 2, SAMPLING, seed=0)


def served(address: str) -> set[str]:
    return {model["id"] for model in httpx.get(f"{address}/models").json()["data"]}


def wait_for(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            if httpx.get(url).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.5)
    raise AssertionError(f"the server did not start: {log.read_text(errors='replace')[-2000:]}")
