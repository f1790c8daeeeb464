"""Whether the vision-language path learns from end to end, on a model small enough for a processor.

    python -m tests.benchmarks.vlm_learns --out FILE.json [--seed 0] [--steps 400] [--repair-steps 120]

A tiny Qwen2.5-VL with random weights sees drawn screens of eight applications, each in other colours, sizes and
contents every time. Four are on task for the work of an office and four are not; the work is described in two ways
that mean the same. That a verdict follows from picture and description together is more than a model of this size
learns in minutes.

    bootstrap   supervised fine-tuning of the adapter, from chance
    repair      one application that was off task becomes on task: GRPO on 50 corrections, with replay of the rest

Everything runs through the product's own student, trainer and settings. It says that the path learns; a tiny model
says nothing about how well a real one would.
"""

import argparse
import json
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from PIL import Image

from core.environments.screen.draw import SAMPLES
from core.environments.screen.drawing import LAYOUTS, Canvas, Theme, framed
from core.learning import TrainingItem, train
from core.learning.scoring import score
from core.policy.base import Features
from core.policy.vlm.policy import VlmPolicy
from core.policy.vlm.prompt import Prompt
from core.policy.vlm.tiny import tiny_vlm
from core.schema import Example
from core.services.night.train import NEW_PRIORITY
from core.services.training import LIKELIHOOD_ALONE
from core.settings import LearningSettings, VlmSettings
from tests.core.memory_library import MemoryLibrary

ASKS = ("Run the office.", "Do the work of the office.")
WORK, LEISURE = ("spreadsheet", "mail", "crm", "support"), ("video", "game", "feed", "music")
RULE = "music"
"The application that becomes on task."
TRAIN, HELD_OUT, CORRECTIONS = 1200, 300, 50
SIDE = 140
"Longer side of a picture as the student sees it, in pixels."

PROMPT = Prompt(
    system="Answer yes or no.",
    question="The work, quoted: {ask}",
    answers=("on_task", "off_task"),
    words=("yes", "no"),
)


@dataclass(frozen=True)
class Case:
    """A screen, the work it is held against, and whether the application was on task before the rule."""

    example: Example
    layout: str
    on_task: bool

    def item(self, *, on_task: bool, priority: float = 1.0) -> TrainingItem:
        return TrainingItem(
            example=self.example,
            rewards=(None, None),
            label=0 if on_task else 1,
            priority=priority,
            origin="correction",
        )


def cases(count: int, library: MemoryLibrary, rng: Random, layouts: Sequence[str] | None = None) -> list[Case]:
    """`count` cases of these layouts; without any, half of them are work and half are not."""
    return [_case(layouts or (WORK if i % 2 == 0 else LEISURE), library, rng) for i in range(count)]


def _case(layouts: Sequence[str], library: MemoryLibrary, rng: Random) -> Case:
    layout, ask = rng.choice(layouts), rng.choice(ASKS)
    media = library.add(layout, str(rng.random()), image=_screen(layout, rng))
    example = Example.make("screen", (media,), ask, answers=PROMPT.answers, cluster=media)
    return Case(example, layout, layout in WORK)


@cache
def _samples() -> dict[str, Any]:
    return tomllib.loads(SAMPLES.read_text(encoding="utf-8"))


def _screen(layout: str, rng: Random) -> Image.Image:
    """One of the sample screens with this layout, in another theme, accent and size."""
    samples = _samples()
    screen = rng.choice([each for each in samples["screens"] if each["layout"] == layout])
    accent = "#" + "".join(f"{rng.randrange(40, 220):02x}" for _ in range(3))
    theme = Theme(**{**samples["themes"][rng.choice(sorted(samples["themes"]))], "accent": accent})
    width, height = screen.get("size", (1280, 800))
    canvas = Canvas(width, height, theme)
    inside = framed(canvas, screen["frame"], screen["window_title"], screen.get("frame_detail", ()))
    LAYOUTS[layout](canvas, inside, screen["content"], rng)
    left, top = rng.randrange(width // 10), rng.randrange(height // 10)
    cut = canvas.image.crop((left, top, width - rng.randrange(width // 10), height - rng.randrange(height // 10)))
    cut.thumbnail((SIDE, SIDE))
    return cut


def accuracy(student: VlmPolicy, features: Sequence[Features], on_task: Sequence[bool]) -> float:
    said_N = score(student, features, 32).argmax(dim=-1)
    return float(sum((said == 0) == right for said, right in zip(said_N.tolist(), on_task, strict=True)) / len(on_task))


class Experiment:
    """Both stages on one world of screens; `figures` grows as they are measured."""

    def __init__(self, directory: Path, seed: int) -> None:
        self.directory, self.seed, self.library = directory, seed, MemoryLibrary()
        rng = Random(seed)
        self.seen = cases(TRAIN, self.library, rng)
        self.held_out = cases(HELD_OUT, self.library, rng)
        self.corrections = cases(CORRECTIONS, self.library, rng, [RULE])
        self.under_the_rule = cases(HELD_OUT // 3, self.library, rng, [RULE])
        self.figures: dict[str, Any] = {"seed": seed, "train": TRAIN, "held_out": HELD_OUT, "corrections": CORRECTIONS}

    def student(self) -> VlmPolicy:
        """A tiny model that has seen nothing."""
        base = tiny_vlm("qwen2_5_vl", self.directory / "base", seed=self.seed)
        return VlmPolicy.create(PROMPT, VlmSettings(model=str(base), rank=32, alpha=64, max_pixels=SIDE * SIDE))

    def measure(self, student: VlmPolicy, when: str) -> None:
        """Accuracy on held-out screens: all as before the rule, the rest of them, and those the rule is about."""
        rest = [case for case in self.held_out if case.layout != RULE]
        self.figures[when] = {
            "held_out": self._accuracy(student, self.held_out),
            "rest": self._accuracy(student, rest),
            "rule": self._accuracy(student, self.under_the_rule, on_task=True),
        }
        sys.stderr.write(f"{when}: {self.figures[when]}\n")

    def bootstrap(self, student: VlmPolicy, steps: int) -> VlmPolicy:
        """Supervised fine-tuning on the labels as they were."""
        items = [case.item(on_task=case.on_task) for case in self.seen]
        settings = LearningSettings(steps=steps, batch_size=32, learning_rate=0.001, **LIKELIHOOD_ALONE)
        return self._trained(student, "bootstrap", items, settings)

    def repair(self, student: VlmPolicy, steps: int) -> VlmPolicy:
        """The loss of the nights on the corrections, with replay; old labels that it contradicts are withdrawn."""
        items = [case.item(on_task=True, priority=NEW_PRIORITY) for case in self.corrections]
        items += [case.item(on_task=case.on_task) for case in self.seen if case.layout != RULE]
        return self._trained(
            student, "repair", items, LearningSettings(steps=steps, batch_size=32, learning_rate=0.0005)
        )

    def _trained(
        self, student: VlmPolicy, name: str, items: list[TrainingItem], settings: LearningSettings
    ) -> VlmPolicy:
        features = student.encode([item.example for item in items], self.library)
        result = train(items, features, student, settings, seed=self.seed, out=self.directory / name)
        self.figures[name] = {"steps": result.steps, "items": result.items, "ms_per_step": round(result.ms_per_step)}
        return VlmPolicy.load(result.weights)

    def _accuracy(self, student: VlmPolicy, held_out: Sequence[Case], on_task: bool | None = None) -> float:
        features = student.encode([case.example for case in held_out], self.library)
        right = [case.on_task if on_task is None else on_task for case in held_out]
        return round(accuracy(student, features, right), 4)


def run(directory: Path, seed: int, steps: int, repair_steps: int) -> dict[str, Any]:
    """The whole experiment; `seconds` are those of this machine."""
    began = time.perf_counter()
    experiment = Experiment(directory, seed)
    student = experiment.student()
    experiment.measure(student, "untrained")
    student = experiment.bootstrap(student, steps)
    experiment.measure(student, "bootstrapped")
    student = experiment.repair(student, repair_steps)
    experiment.measure(student, "repaired")
    return {**experiment.figures, "seconds": round(time.perf_counter() - began)}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--out", type=Path, required=True)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--steps", type=int, default=400)
    arguments.add_argument("--repair-steps", type=int, default=120)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        figures = run(Path(directory), given.seed, given.steps, given.repair_steps)
    given.out.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
