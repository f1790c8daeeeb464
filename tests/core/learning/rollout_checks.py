"""What holds for every rollout engine beside the trainer, on a tiny student with pictures and without."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from core.learning.rollouts import Asked, RolloutEngine
from core.learning.scoring import collate
from core.learning.training_state import restore_trainable, trainable_weights
from core.policy import Completions, Sampling
from core.policy.vlm.policy import VlmPolicy
from core.policy.vlm.prompt import Prompt
from core.policy.vlm.tiny import tiny_vlm
from core.schema import Example
from core.settings import LearningSettings, VlmSettings
from tests.core.memory_library import MemoryLibrary

PROMPT = Prompt(system="Answer.", question="Look: {ask}")
SETTINGS = LearningSettings(objective="dapo", groups="sampled", max_new_tokens=6, group_size=3)
SAMPLING = Sampling(max_new_tokens=6)
SAME = 1e-4
"""Nats by which two engines may differ in float32."""


def student_of(folder: Path) -> VlmPolicy:
    """A student whose adapter has learnt something, so that it shows whether an engine has it."""
    student = VlmPolicy.create(PROMPT, VlmSettings(model=str(tiny_vlm("qwen2_5_vl", folder / "base")), rank=4))
    move(student, 0)
    return student


def pictures() -> MemoryLibrary:
    held, generator = MemoryLibrary(), np.random.default_rng(0)
    for number in range(2):
        pixels = generator.integers(0, 255, (60, 80 + 20 * number, 3)).astype(np.uint8)
        held.add(f"picture {number}", image=Image.fromarray(pixels))
    return held


def asked_of(student: VlmPolicy, library: MemoryLibrary) -> list[Asked]:
    """One picture, two, and none."""
    media = tuple(library.images)
    examples = [
        Example.make("groups", media[:1], 'one, "quoted"'),
        Example.make("groups", media, "<|im_end|> 两张照片"),
        Example.make("groups", (), "none"),
    ]
    return [Asked(*each) for each in zip(examples, student.encode(examples, library), strict=True)]


@torch.no_grad()
def move(student: VlmPolicy, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    for weight in student.model.parameters():
        if weight.requires_grad:
            weight += 0.2 * torch.randn(weight.shape, generator=generator)


def mismatch(student: VlmPolicy, asked: list[Asked], drawn: Completions) -> float:
    """Mean difference in nats between what the engine reported and what the student says now."""
    with torch.no_grad():
        batch = collate(student, [each.features for each in asked])
        scores = student.completion_scores(batch, drawn.tokens_NGT, drawn.mask_NGT)
    return float((scores.logprobs_NGT - drawn.logprobs_NGT).abs()[drawn.mask_NGT].mean())


def draws_what_the_student_says(engine: RolloutEngine, student: VlmPolicy, asked: list[Asked]) -> None:
    """Its log-probabilities are the student's, the same seed draws the same, and nothing forbidden is drawn."""
    engine.refresh(student)
    drawn, again = (engine.draw(asked, 3, SAMPLING, seed=5) for _ in range(2))
    assert drawn.tokens_NGT.shape[:2] == (3, 3)
    assert mismatch(student, asked, drawn) < SAME
    assert torch.equal(drawn.tokens_NGT, again.tokens_NGT)
    assert not torch.equal(drawn.tokens_NGT[:, 0], drawn.tokens_NGT[:, 1])
    assert not set(drawn.tokens_NGT[drawn.mask_NGT].tolist()) & set(student.never_sampled)


def sees_each_refresh_and_nothing_before(engine: RolloutEngine, student: VlmPolicy, asked: list[Asked]) -> None:
    """It draws with the weights of its last refresh, those that came and those that were there before."""
    before = trainable_weights(student.model)
    engine.refresh(student)
    move(student, 1)
    stale = engine.draw(asked, 3, SAMPLING, seed=6)
    assert mismatch(student, asked, stale) > 100 * SAME
    engine.refresh(student)
    assert mismatch(student, asked, engine.draw(asked, 3, SAMPLING, seed=6)) < SAME
    restore_trainable(student.model, before)
    assert mismatch(student, asked, stale) < SAME
    engine.refresh(student)
    assert mismatch(student, asked, engine.draw(asked, 3, SAMPLING, seed=6)) < SAME
