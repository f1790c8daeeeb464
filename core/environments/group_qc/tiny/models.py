"""Tiny models for both stages, taught."""

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from core.environments.group_qc.drawing import DrawnGroup
from core.environments.group_qc.missions import missions
from core.environments.group_qc.prompt import PROMPT, SUMMARY_PROMPT
from core.environments.group_qc.summaries import summary_example
from core.environments.group_qc.tiny.lessons import DrawnLibrary, corpus, group_example, remark, warm_up_lines
from core.environments.group_qc.tiny.teaching import teach
from core.policy.vlm.policy import VlmPolicy
from core.policy.vlm.tiny import tiny_vlm
from core.settings import VlmSettings

__all__ = ["FAMILY", "PIXELS", "summariser_in", "taught_summariser", "tiny_base", "warm_in", "warmed_up"]

FAMILY = "qwen2_5_vl"
PIXELS = 112 * 112
"A photo as tiny stage A sees it."
LEARNT_FROM = 200
"Groups whose lines the tokenizer learns from."
LESSONS_A_GROUP = 3
RANK = 16
LAST_BLOCKS = 4

Told = Callable[[int, float], None]


def tiny_base(folder: Path, groups: Sequence[DrawnGroup], *, seed: int) -> Path:
    """A model with random weights and a tokenizer that knows the words of these groups."""
    return tiny_vlm(FAMILY, folder, seed=seed, corpus=corpus(groups[:LEARNT_FROM]), to_be_taught=True)


def taught_summariser(
    folder: Path,
    groups: Sequence[DrawnGroup],
    *,
    steps: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
    told: Told = lambda *_: None,
) -> VlmPolicy:
    """Stage A, taught the true line of every photo of these groups; its base model is written to `folder`.

    Faults are rare, and a line is right but for one fact where a fault is not seen: taught on photos as they come, a
    tiny model never says some of the faults. So what can be wrong, or not be seen, is taught as often as what is right.
    """
    base = tiny_base(folder / "untaught", groups, seed=seed)
    policy = VlmPolicy.create(SUMMARY_PROMPT, VlmSettings(model=str(base), max_pixels=PIXELS))
    photos = [photo for group in groups for photo in group.photos]
    examples = [summary_example(missions()[photo.mission], photo.seed) for photo in photos]
    teach(
        policy,
        policy.encode(examples, DrawnLibrary(groups)),
        [(photo.summary,) for photo in photos],
        steps=steps,
        batch_size=batch_size,
        learning_rate=learning_rate,
        seed=seed,
        kinds=[(photo.mission, photo.facts[1:]) for photo in photos],
        told=told,
    )
    policy.merge(folder / "taught")
    return summariser_in(folder)


def summariser_in(folder: Path) -> VlmPolicy:
    """The stage A that was taught in `folder`. Raises NightshiftError where none was."""
    return VlmPolicy.create(SUMMARY_PROMPT, VlmSettings(model=str(folder / "taught"), max_pixels=PIXELS))


def warmed_up(
    folder: Path,
    groups: Sequence[DrawnGroup],
    *,
    reading_steps: int,
    steps: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
    told: Told = lambda *_: None,
) -> VlmPolicy:
    """Stage B that reads and writes Chinese about groups, and knows no verdict; its base model is written to `folder`.

    It is warmed up on the true lines of `groups`: no photo is needed for them, so there can be many. First it learns to
    read: `reading_steps` of saying whether a photo stands out. Among all that it is to say that would drown: a model
    that does not read its prompt yet hears of it in one token of twenty.
    """
    base = tiny_base(folder / "untaught", groups, seed=seed)
    policy = VlmPolicy.create(PROMPT, VlmSettings(model=str(base)))
    features = policy.encode([group_example(group) for group in groups], DrawnLibrary(()))
    rng = Random(f"warm-up/{seed}")
    remarks = [[remark(group, rng)] for group in groups]
    lines = [
        [line for _ in range(LESSONS_A_GROUP) for line in warm_up_lines(group, group.summaries, rng)]
        for group in groups
    ]
    for texts, count in ((remarks, reading_steps), (lines, steps)):
        teach(
            policy,
            features,
            texts,
            steps=count,
            batch_size=batch_size,
            learning_rate=learning_rate,
            seed=seed,
            told=told,
        )
    policy.merge(folder / "warm")
    return warm_in(folder)


def warm_in(folder: Path) -> VlmPolicy:
    """The stage B that was warmed up in `folder`. Raises NightshiftError where none was."""
    student = VlmSettings(model=str(folder / "warm"), rank=RANK, alpha=2 * RANK, last_blocks=LAST_BLOCKS)
    return VlmPolicy.create(PROMPT, student)
