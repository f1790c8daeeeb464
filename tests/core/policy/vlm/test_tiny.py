from pathlib import Path

import pytest
from transformers import AutoModelForImageTextToText, AutoProcessor

from core.policy.vlm.tiny import tiny_vlm
from core.schema import NightshiftError


def test_a_tiny_model_loads_as_any_other_and_is_tiny(folder: Path) -> None:
    model = AutoModelForImageTextToText.from_pretrained(folder)
    processor = AutoProcessor.from_pretrained(folder)
    assert model.config.model_type == folder.name
    assert 1.5e6 < sum(parameter.numel() for parameter in model.parameters()) < 3e6
    assert processor.chat_template
    text = "Any text, even ünïcödé and 中文, comes out whole."
    assert processor.tokenizer.decode(processor.tokenizer.encode(text)) == text


def test_the_same_seed_gives_the_same_folder_and_another_seed_other_weights(folder: Path, tmp_path: Path) -> None:
    again, other = tiny_vlm(folder.name, tmp_path / "again"), tiny_vlm(folder.name, tmp_path / "other", seed=1)
    files = sorted(path.name for path in folder.iterdir())
    assert [(again / name).read_bytes() for name in files] == [(folder / name).read_bytes() for name in files]
    assert (other / "model.safetensors").read_bytes() != (folder / "model.safetensors").read_bytes()


def test_an_unknown_family_is_named_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(NightshiftError, match="no tiny model 'gpt2'; there are: qwen2_5_vl, qwen3_vl, smolvlm"):
        tiny_vlm("gpt2", tmp_path)
