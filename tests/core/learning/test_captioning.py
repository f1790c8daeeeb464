"""BLIP and BLIP-2 as they are loaded for real, on tiny models built from their configurations."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from tiny_blip import tiny_blip, tiny_blip2

from core.learning.captioning import Captioner
from core.policy.vlm.tiny import tiny_vlm
from core.schema import NightshiftError

PICTURES = [Image.new("RGB", (60, 40), colour) for colour in ("#ff0000", "#0030a0", "#e0e0e0")]


@pytest.mark.parametrize("build", [tiny_blip, tiny_blip2])
def test_a_picture_is_described_in_words_and_always_in_the_same(build: Callable[[Path], Path], tmp_path: Path) -> None:
    captioner = Captioner(str(build(tmp_path / "model")), tokens=8, batch=2)
    captions = captioner.describe(PICTURES)
    assert len(captions) == 3 and all(isinstance(caption, str) for caption in captions)
    assert any(captions)
    assert captioner.describe(PICTURES[:1]) == captions[:1]


def test_a_captioner_is_known_by_its_content(tmp_path: Path) -> None:
    one, other = tiny_blip(tmp_path / "one"), tiny_blip(tmp_path / "other")
    names = {Captioner(str(folder), tokens=8, batch=2).name for folder in (one, other)}
    assert len(names) == 1
    assert Captioner(str(one), tokens=9, batch=2).name not in names


def test_a_model_that_is_not_here_and_one_of_another_kind_are_named(tmp_path: Path) -> None:
    with pytest.raises(NightshiftError, match=r"bootstrap\.captioner names a folder"):
        Captioner("nobody/no-such-blip", tokens=8, batch=2)
    with pytest.raises(NightshiftError, match="is one of BLIP or BLIP-2"):
        Captioner(str(tiny_vlm("qwen2_5_vl", tmp_path / "vlm")), tokens=8, batch=2)
