"""For the same completions our token losses are stock TRL's, in value and in gradient."""

from functools import cache
from pathlib import Path

import pytest
import torch

from core.environments.screen.prompt import PROMPT
from core.policy.vlm.answers import AnswerTokens
from core.policy.vlm.policy import VlmPolicy
from core.policy.vlm.tiny import FAMILIES, SIDE, tiny_vlm
from core.services.bench.parity import parity
from core.services.bench.screens import DrawnScreens
from core.settings import LearningSettings, VlmSettings

LOSSES = ("grpo", "bnpo", "dr_grpo", "dapo")
ONE_TOKEN = ([[300], [310]], [[True], [True]])
UP_TO_THREE_TOKENS = ([[300, 310, 320], [300, 330, 0]], [[True, True, True], [True, True, False]])
CASES = {"one token": ONE_TOKEN, "three tokens": UP_TO_THREE_TOKENS}
HARDEST_QUICKLY = ["three tokens", pytest.param("one token", marks=pytest.mark.soak)]


@pytest.fixture(autouse=True)
def _no_word_about_experiments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRL_EXPERIMENTAL_SILENCE", "1")


@pytest.fixture(scope="module")
def screens() -> DrawnScreens:
    return DrawnScreens(SIDE)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory):
    return cache(lambda family: tiny_vlm(family, tmp_path_factory.mktemp(family)))


def settings_of(loss: str, **more: object) -> LearningSettings:
    without = {"likelihood_weight": 0.0, "entropy_weight": 0.0, "kl_weight": 0.1}
    return LearningSettings(objective=loss, groups="sampled", group_size=4, **{**without, **more})


def parity_of(folder: Path, case: str, screens: DrawnScreens, settings: LearningSettings, scratch: Path, seed: int = 2):
    def student() -> VlmPolicy:
        policy = VlmPolicy.create(PROMPT, VlmSettings(model=str(folder), rank=4, alpha=8))
        tokens, mask = CASES[case]
        policy.answer_tokens = AnswerTokens(torch.tensor(tokens), torch.tensor(mask))
        policy.answer_mask_KT = policy.answer_tokens.mask_KT
        return policy

    return parity(student, screens.items[:2], screens, settings, seed=seed, scratch=scratch)


@pytest.mark.parametrize("case", HARDEST_QUICKLY)
@pytest.mark.parametrize("loss", LOSSES)
def test_loss_and_gradient_are_those_of_trl(models, screens, tmp_path, loss, case):
    found = parity_of(models("qwen2_5_vl"), case, screens, settings_of(loss), tmp_path)
    assert abs(found.trl_loss) > 1e-3
    assert found.loss_rel_diff < 1e-4
    assert found.gradient.numel() == found.trl_gradient.numel()
    assert found.grad_rel_diff < 1e-4


@pytest.mark.parametrize("case", HARDEST_QUICKLY)
@pytest.mark.parametrize("family", sorted(set(FAMILIES) - {"qwen2_5_vl"}))
def test_they_are_in_every_family(models, screens, tmp_path, family, case):
    found = parity_of(models(family), case, screens, settings_of("dapo"), tmp_path)
    assert found.loss_rel_diff < 1e-4
    assert found.grad_rel_diff < 1e-4


@pytest.mark.parametrize("scale", ["group", pytest.param("batch", marks=pytest.mark.soak)])
def test_they_are_however_advantages_are_scaled(models, screens, tmp_path, scale):
    found = parity_of(models("qwen2_5_vl"), "three tokens", screens, settings_of("grpo", scale_rewards=scale), tmp_path)
    plain = parity_of(models("qwen2_5_vl"), "three tokens", screens, settings_of("grpo"), tmp_path)
    assert found.grad_rel_diff < 1e-4
    assert (found.gradient - plain.gradient).norm() > 0.1 * plain.gradient.norm()


@pytest.mark.parametrize("case", CASES)
def test_they_are_without_a_reference(models, screens, tmp_path, case):
    found = parity_of(models("qwen2_5_vl"), case, screens, settings_of("dapo", kl_weight=0.0), tmp_path)
    # The ratio is 1 and advantages sum to 0, so the loss may be 0 but for rounding; its gradient is not.
    assert abs(found.loss - found.trl_loss) < 1e-6
    assert found.grad_rel_diff < 1e-4
