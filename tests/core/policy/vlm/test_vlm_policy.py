from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch.testing import assert_close
from transformers import AutoConfig, BertConfig, BertModel

from core.learning import load_features, save_features
from core.learning.scoring import answer, score
from core.policy.vlm.policy import VlmPolicy, bounded
from core.policy.vlm.tiny import tiny_vlm
from core.schema import Example, NightshiftError
from core.settings import VlmSettings
from tests.core.memory_library import MemoryLibrary
from tests.core.policy.vlm.conftest import PROMPT


def plain_logprobs(student: VlmPolicy, example: Example, library: MemoryLibrary) -> torch.Tensor:
    """Float[K] by the book: prompt and word through processor and model, one word at a time, no batch, no packing."""
    said = []
    for word in student.config.prompt.words:
        text = student.prompt_text(example.ask, pictures=1)
        tokens = student._processor.tokenizer.encode(
            word if text[-1].isspace() else f" {word}", add_special_tokens=False
        )
        pictures = [library.image(example.media[0])]
        inputs = student._processor(text=[text], images=pictures, return_tensors="pt")
        length = inputs["input_ids"].shape[1]
        scored = tokens[:1] if student.answer_tokens.first_decides else tokens
        added = torch.tensor([scored])
        inputs["input_ids"] = torch.cat([inputs["input_ids"], added], dim=1)
        inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
        if "mm_token_type_ids" in inputs:
            inputs["mm_token_type_ids"] = torch.nn.functional.pad(inputs["mm_token_type_ids"], (0, len(scored)))
        with torch.no_grad():
            logprobs_TV = torch.log_softmax(student.model(**inputs).logits[0, length - 1 : -1], dim=-1)
        said.append(logprobs_TV.gather(1, added[0][:, None]).sum())
    return torch.log_softmax(torch.stack(said), dim=-1)


def test_one_prefill_says_what_a_full_forward_for_every_answer_says(
    student: VlmPolicy, examples: list[Example], library: MemoryLibrary
) -> None:
    assert student.answer_tokens.first_decides
    ours_NK = answer(student, examples, library)
    assert_close(ours_NK, torch.stack([plain_logprobs(student, example, library) for example in examples]))
    assert_close(ours_NK.exp().sum(dim=-1), torch.ones(len(examples)))


def test_answers_that_begin_alike_are_scored_as_whole_words(
    worded: Callable[..., VlmPolicy], examples: list[Example], library: MemoryLibrary
) -> None:
    student = worded("task off", "task on")
    assert not student.answer_tokens.first_decides
    expected_NK = torch.stack([plain_logprobs(student, example, library) for example in examples])
    assert_close(answer(student, examples, library), expected_NK, rtol=1e-4, atol=1e-5)


def test_an_example_is_answered_alike_in_any_company(
    student: VlmPolicy, examples: list[Example], library: MemoryLibrary
) -> None:
    together = student.encode(examples, library)
    for example, features in zip(examples, together, strict=True):
        (alone,) = student.encode([example], library)
        assert alone.keys() == features.keys()
        assert all(torch.equal(alone[name], features[name]) for name in alone)
    assert_close(score(student, together, 3), score(student, together, 1), rtol=1e-5, atol=1e-6)


def test_features_survive_the_file_that_training_reads(
    student: VlmPolicy, examples: list[Example], library: MemoryLibrary, tmp_path: Path
) -> None:
    features = student.encode(examples, library)
    save_features(tmp_path / "features.safetensors", features)
    assert torch.equal(score(student, load_features(tmp_path / "features.safetensors"), 3), score(student, features, 3))


def test_a_picture_larger_than_the_bound_is_made_smaller_in_the_same_shape(library: MemoryLibrary) -> None:
    wide = library.images[next(reversed(library.images))]
    smaller = bounded(wide, 40_000)
    assert smaller.width * smaller.height <= 40_000
    assert smaller.width / smaller.height == pytest.approx(wide.width / wide.height, rel=0.02)
    assert bounded(wide, 10_000_000).size == wide.size


def test_a_long_question_is_read_to_its_end(
    student: VlmPolicy, examples: list[Example], library: MemoryLibrary
) -> None:
    long = examples[0].model_copy(update={"ask": "task " * 400 + "the end."})
    (features,) = student.encode([long], library)
    read = student._processor.tokenizer.decode(features["input_ids"])
    assert "the end." in read
    assert read.count(" task") + read.count('"task') == 400


def test_a_saved_student_comes_back_and_saves_the_same_bytes(
    student: VlmPolicy, examples: list[Example], library: MemoryLibrary, tmp_path: Path
) -> None:
    with torch.no_grad():
        for parameter in student.model.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.linspace(-0.05, 0.05, parameter.numel()).view_as(parameter))
    folders = tmp_path / "one", tmp_path / "two"
    for folder in folders:
        folder.mkdir()
    student.save(folders[0])
    again = VlmPolicy.load(folders[0])
    again.save(folders[1])
    assert torch.equal(answer(again, examples, library), answer(student, examples, library))
    written = [{path.name: path.read_bytes() for path in folder.iterdir()} for folder in folders]
    assert written[0] == written[1]
    assert set(written[0]) == {"adapter_config.json", "adapter_model.safetensors", "vlm.json"}


def test_a_merged_student_answers_as_the_student_did(
    student: VlmPolicy, examples: list[Example], library: MemoryLibrary, tmp_path: Path
) -> None:
    with torch.no_grad():
        for parameter in student.model.parameters():
            if parameter.requires_grad:
                parameter.add_(0.02)
    before = {name: weight.clone() for name, weight in student.model.named_parameters()}
    student.merge(tmp_path / "merged")
    assert all(torch.equal(weight, before[name]) for name, weight in student.model.named_parameters())
    merged = VlmPolicy.create(PROMPT, VlmSettings(model=str(tmp_path / "merged"), rank=1, alpha=1))
    assert_close(answer(merged, examples, library), answer(student, examples, library), rtol=1e-4, atol=1e-5)


def test_another_base_model_under_an_adapter_is_refused(settings: VlmSettings, tmp_path: Path) -> None:
    family = AutoConfig.from_pretrained(settings.model).model_type
    base = tiny_vlm(family, tmp_path / "base", seed=1)
    (tmp_path / "student").mkdir()
    VlmPolicy.create(PROMPT, settings.model_copy(update={"model": str(base)})).save(tmp_path / "student")
    tiny_vlm(family, base, seed=2)
    with pytest.raises(NightshiftError, match=r"was made for .* now holds"):
        VlmPolicy.load(tmp_path / "student")


def test_a_model_that_takes_no_pictures_is_refused(tmp_path: Path) -> None:
    BertModel(
        BertConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8)
    ).save_pretrained(tmp_path)
    with pytest.raises(NightshiftError, match="'bert' model, which does not take pictures"):
        VlmPolicy.create(PROMPT, VlmSettings(model=str(tmp_path)))


def test_a_model_that_is_not_on_this_machine_is_named_with_the_command_that_fetches_it() -> None:
    with pytest.raises(NightshiftError, match="hf download nobody/has-this"):
        VlmPolicy.create(PROMPT, VlmSettings(model="nobody/has-this"))


def test_a_damaged_adapter_is_refused(student: VlmPolicy, tmp_path: Path) -> None:
    student.save(tmp_path)
    (tmp_path / "adapter_model.safetensors").write_bytes(b"no weights")
    with pytest.raises(NightshiftError, match="does not fit its configuration"):
        VlmPolicy.load(tmp_path)
