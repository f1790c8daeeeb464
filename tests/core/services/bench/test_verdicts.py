"""Every way to a verdict that the benchmark times gives the student's verdict."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import torch

from core.environments.screen.prompt import PROMPT
from core.policy.vlm.policy import VlmPolicy
from core.policy.vlm.tiny import tiny_vlm
from core.services.bench import classify
from core.services.bench.classify import _requests, bench_classify
from core.services.bench.verdicts import Generated, Ours, Request, served, vllm_is_installed
from core.settings import VlmSettings

needs_vllm = pytest.mark.skipif(not vllm_is_installed(), reason="vLLM is not installed here; `make vllm` installs it")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_vlm("qwen2_5_vl", tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def student(folder: Path) -> VlmPolicy:
    """A student that answers this way on some screens and that way on others."""
    policy = VlmPolicy.create(PROMPT, VlmSettings(model=str(folder)))
    torch.manual_seed(1)
    for name, weight in policy.model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.3)
    return policy


@pytest.fixture
def merged(student: VlmPolicy, tmp_path: Path) -> Path:
    student.merge(tmp_path / "merged")
    return tmp_path / "merged"


@pytest.fixture
def requests() -> list[Request]:
    return list(itertools.islice(_requests(), 12))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(classify, "ROUNDS", {1: 1, 32: 1})
    yield


def test_no_two_requests_have_the_same_picture(requests: list[Request]) -> None:
    assert len({request.png for request in requests}) == len(requests)


def test_generate_takes_the_same_first_token_where_it_may_say_answers_only(
    student: VlmPolicy, merged: Path, requests: list[Request]
) -> None:
    generated = Generated(student, merged)
    first_tokens = student.answer_tokens.tokens_KT[:, 0].tolist()
    # Free to say anything, random weights say no answer at all.
    generated._model.generation_config.suppress_tokens = [t for t in range(1024) if t not in first_tokens]
    generated._verdict = lambda text: text.strip().split(" ")[0]  # type: ignore[method-assign]
    word_of = dict(zip(PROMPT.answers, PROMPT.words, strict=True))
    said, ours = generated.verdicts(requests), Ours(student).verdicts(requests)
    assert len(set(ours)) == 2
    assert all(text.startswith(word_of[verdict]) for text, verdict in zip(said, ours, strict=True))


def test_what_is_no_answer_is_no_verdict(student: VlmPolicy, merged: Path) -> None:
    generated = Generated(student, merged)
    assert [generated._verdict(text) for text in ("yes", " no ", "yes no", "")] == ["on_task", "off_task", None, None]


@needs_vllm
@pytest.mark.soak
@pytest.mark.timeout(900)
def test_vllm_gives_the_same_verdicts_and_leaves_no_process(
    student: VlmPolicy, merged: Path, requests: list[Request]
) -> None:
    ours = Ours(student).verdicts(requests)
    with served(student, merged) as engine:
        assert len(set(ours)) == 2
        assert engine.verdicts(requests) == ours
        assert [p for p in psutil.Process().children(recursive=True) if p.name().startswith("VLLM")]
    assert not [p for p in psutil.Process().children(recursive=True) if p.name().startswith("VLLM")]


@pytest.mark.skipif(vllm_is_installed(), reason="vLLM is installed here, so it is measured")
@pytest.mark.usefixtures("quick")
def test_without_vllm_its_figures_are_null() -> None:
    found = bench_classify()
    assert list(found) == ["batch_1", "batch_32"]
    for figures in found.values():
        assert list(figures) == ["ours_ms", "generate_ms", "vllm_ms", "ratio"]
        assert figures["vllm_ms"] is None
        assert figures["ratio"] == pytest.approx(figures["generate_ms"] / figures["ours_ms"], rel=0.01)
