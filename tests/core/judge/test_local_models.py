"""A model within this process: the real loading and answering, with a tiny model of random weights."""

import base64
import io
import json
import math
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from memory_library import MemoryLibrary
from PIL import Image
from screen_questions import examples

from core.environments.screen.prompt import JUDGE_PROMPT
from core.judge import RemoteJudge, remote_judge
from core.judge.local import completion, opened_messages
from core.judge.reply import letter_probabilities, read_reply
from core.judge.transformers_model import _Loaded
from core.policy.vlm.tiny import tiny_vlm
from core.schema import Example, Judgment, NightshiftError
from core.settings import JudgingSettings

ANSWERS = ("on_task", "off_task")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_vlm("qwen2_5_vl", tmp_path_factory.mktemp("tiny"))


def judge_of(model: Path, name: str = "transformers", **settings: object) -> RemoteJudge:
    quick = {"model": str(model), "max_pixels": 56 * 56 * 9, "tries": 1, "timeout_s": 120.0}
    return remote_judge(name, JUDGE_PROMPT, JudgingSettings(**{**quick, **settings}))


def all_judged(judge: RemoteJudge, asked: list[Example], library: MemoryLibrary) -> dict[str, Judgment]:
    return {each.example: each for page in judge.judge_all(asked, library) for each in page}


@pytest.mark.parametrize("family", ["qwen2_5_vl", "qwen3_vl", "smolvlm"])
def test_sharing_what_stands_up_to_the_picture_changes_no_answer(family: str, tmp_path: Path) -> None:
    loaded = _Loaded(tiny_vlm(family, tmp_path), JudgingSettings())
    picture = Image.effect_noise((120, 80), 60).convert("RGB")
    for order in (ANSWERS, ANSWERS[::-1]):
        messages = JUDGE_PROMPT.messages("Write.", [_url(picture)], order, as_json=False)
        inputs = _inputs(loaded, messages)
        with torch.inference_mode():
            fresh, whole = loaded._last_logits(inputs, ("p",)), loaded._all_at_once(inputs)
            again = loaded._last_logits(inputs, ("p",))
        torch.testing.assert_close(fresh, whole, rtol=0, atol=2e-4)
        assert torch.equal(fresh, again), "the same bits whether or not the picture was seen before"


def test_both_orders_and_all_descriptions_of_a_picture_take_it_through_the_model_once(
    lettered: Path, library: MemoryLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefills: list[int] = []
    real = _Loaded._up_to_pictures

    def counted(self: _Loaded, *given: object) -> object:
        before = self._seen
        cache = real(self, *given)  # type: ignore[arg-type]
        prefills.append(self._seen is not before)
        return cache

    monkeypatch.setattr(_Loaded, "_up_to_pictures", counted)
    judged = all_judged(judge_of(lettered), examples(library, 3), library)
    assert all(each.unscored is None and each.calls == 2 for each in judged.values())
    assert (len(prefills), sum(prefills)) == (6, 1)


def test_a_judgment_is_the_same_again_and_knows_its_model(
    lettered: Path, library: MemoryLibrary, tmp_path: Path
) -> None:
    asked = examples(library, 2)
    one, again = (all_judged(judge_of(lettered), asked, library) for _ in range(2))
    assert all(each.unscored is None for each in one.values())
    assert {id: each.scores for id, each in one.items()} == {id: each.scores for id, each in again.items()}
    other = judge_of(tiny_vlm("qwen2_5_vl", tmp_path / "other", seed=1))
    assert other.judgment_id(asked[0], ANSWERS) != one[asked[0].id].id


def test_a_model_without_a_clear_letter_is_asked_for_json_and_what_it_babbles_is_no_verdict(
    tiny: Path, library: MemoryLibrary
) -> None:
    (judged,) = all_judged(judge_of(tiny), examples(library, 1), library).values()
    assert judged.scores == () and not judged.transient
    assert "cut off" in (judged.unscored or "") or "no clear verdict" in (judged.unscored or "")


def test_a_deadline_holds_while_the_model_works(
    tiny: Path, library: MemoryLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(self: _Loaded, *_: object) -> dict[str, object]:  # noqa: ARG001
        time.sleep(3)
        return {}

    monkeypatch.setattr(_Loaded, "answer", slow)
    started = time.monotonic()
    (judged,) = all_judged(judge_of(tiny, timeout_s=0.2, deadline_s=0.5), examples(library, 1), library).values()
    assert judged.transient and "within 0." in (judged.unscored or "")
    assert time.monotonic() - started < 60


def test_memory_that_runs_out_names_the_setting_that_helps(
    tiny: Path, library: MemoryLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: _Loaded, *_: object) -> dict[str, object]:  # noqa: ARG001
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB")

    monkeypatch.setattr(_Loaded, "answer", full)
    (judged,) = all_judged(judge_of(tiny), examples(library, 1), library).values()
    assert judged.transient and "judging.max_pixels" in (judged.unscored or "")


def test_a_damaged_model_leaves_everything_unscored_with_the_reason(
    tiny: Path, library: MemoryLibrary, tmp_path: Path
) -> None:
    for file in tiny.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes()[: 1000 if file.suffix == ".safetensors" else None])
    judged = all_judged(judge_of(tmp_path), examples(library, 3), library).values()
    assert all(each.transient and "cannot be loaded" in (each.unscored or "") for each in judged)


@pytest.mark.parametrize("name", ["transformers", "vllm"])
def test_a_model_that_is_not_on_this_machine_is_refused_and_not_downloaded(name: str) -> None:
    if name == "vllm" and find_spec("vllm") is None:
        pytest.skip("vLLM is not installed")
    with pytest.raises(NightshiftError, match=r"'nobody/nothing' is not on this machine.*judging\.model"):
        judge_of(Path("nobody/nothing"), name)
    with pytest.raises(NightshiftError, match=r"needs judging\.model"):
        remote_judge(name, JUDGE_PROMPT, JudgingSettings())


@pytest.fixture(scope="module")
def engine_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.soak
@pytest.mark.usefixtures("engine_threads")
@pytest.mark.skipif(find_spec("vllm") is None, reason="vLLM is not installed; `make vllm` installs it")
def test_vllm_within_this_process_judges_as_transformers_does(lettered: Path, library: MemoryLibrary) -> None:
    asked = examples(library, 3)
    ours = all_judged(judge_of(lettered), asked, library)
    theirs = all_judged(judge_of(lettered, "vllm"), asked, library)
    for example in asked:
        assert theirs[example.id].unscored is None, theirs[example.id].unscored
        assert theirs[example.id].score_of("on_task") == pytest.approx(ours[example.id].score_of("on_task"), abs=0.03)
        assert theirs[example.id].position_bias == pytest.approx(ours[example.id].position_bias, abs=0.03)


def _inputs(loaded: _Loaded, messages: object) -> dict[str, torch.Tensor]:
    opened, pictures = opened_messages({"messages": messages}, ())
    text = loaded._processor.apply_chat_template(opened, add_generation_prompt=True, tokenize=False)
    return dict(loaded._processor(text=[text], images=pictures, return_tensors="pt"))


def _url(picture: Image.Image) -> str:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def test_what_is_answered_reads_as_an_answer_of_a_server() -> None:
    reply = read_reply(completion("A", "length", (3, 1), [(" ", -0.1), ("A", math.log(0.6)), ("B", math.log(0.3))]))
    assert letter_probabilities(reply, "AB") == pytest.approx([2 / 3, 1 / 3])
    assert json.dumps(reply.text) == '"A"'
