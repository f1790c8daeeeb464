"""How fast a student of 3 billion weights answers and learns on this machine's GPU.

    python -m core.learning.on_gpu [--model tiny]

It needs torch with torchvision, transformers, peft, accelerate, safetensors, pillow, pydantic and pydantic-settings,
and nothing else of the project's libraries. A verdict is timed from the bytes of a PNG to the answer; a step is what
a night does with a batch of encoded examples: forward, sampled groups, TRL's default loss, backward, optimiser. A step
of free text draws its groups first, by transformers in the same process, and takes the same loss over their tokens.

Where TRL is installed its own GRPO trainer takes the same steps beside ours, on the same model, prompts, pictures,
group size and, in a closed set, the same answers; what its loop costs is in its figures, as is its processor's work.
Without TRL these figures are null.
"""

import argparse
import io
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image, ImageDraw

from core.learning.free_text import FreeTextObjective
from core.learning.items import Targets, TrainingItem
from core.learning.live_items import LiveItems
from core.learning.objectives import Objective, TokenObjective, answers_of_tokens
from core.learning.rewarding import Rewarding
from core.learning.rollouts.in_trainer import InTrainer
from core.learning.scoring import answer, collate, score, score_tokens
from core.policy import Features
from core.policy.vlm.policy import VlmPolicy
from core.policy.vlm.prompt import Prompt
from core.policy.vlm.random_3b import random_3b
from core.policy.vlm.tiny import tiny_vlm
from core.reward import Reward
from core.schema import Example, NightshiftError, content_id
from core.settings import LearningSettings, VlmSettings

if TYPE_CHECKING:
    from core.policy.base import Arrays
    from core.reading import Reading

__all__ = ["MODELS", "bench_gpu"]

MODELS = ("3b", "tiny")
SIDE = 1024
"Pixels of the side of a picture."
VERDICTS, WARM_UP = 100, 5
BATCHES = (1, 8, 32)
STEPS = 5
STEP = LearningSettings(
    objective="dapo",
    groups="sampled",
    batch_size=8,
    learning_rate=1e-4,
    likelihood_weight=0.0,
    kl_weight=0.0,
    entropy_weight=0.0,
    max_new_tokens=64,
)
TEXT_PROMPT = Prompt(
    system="You look at one picture of a computer screen and say what is on it.",
    question="The work is described between quotation marks: {ask} Say in a line whether the screen shows it, and why.",
)
REWARDING = Rewarding((Reward("vowels", 1.0, lambda _, text: _share_of_vowels(str(text))),))
"Something that differs from text to text: what it is does not matter to time or memory."
PROMPT = Prompt(
    system="You look at one picture of a computer screen and answer a question about it with a single word.",
    question="The work is described between quotation marks: {ask} Is the person at work on it? Answer yes or no.",
    answers=("on_task", "off_task"),
    words=("yes", "no"),
)


def bench_gpu(model: str = "3b", *, progress: Callable[[int, int], object] = lambda *_: None) -> dict[str, Any]:
    """Milliseconds a verdict, screens a second by batch size, and seconds, samples a second and memory of a step, in
    a closed set (`train`) and in free text (`free_text`), each with TRL's beside it.

    Raises NightshiftError for an unknown model, and for the large one where there is no GPU.
    """
    _check(model)
    parts = 5 + len(BATCHES)
    with TemporaryDirectory() as directory:
        policy = _student(model, Path(directory))
        progress(1, parts)
        verdict = _verdicts(policy)
        progress(2, parts)
        rates = {}
        for done, size in enumerate(BATCHES, start=3):
            rates[str(size)] = _screens_per_s(policy, size)
            progress(done, parts)
        steps = {}
        for name, prompt in (("train", PROMPT), ("free_text", TEXT_PROMPT)):
            # One model at a time is what memory is measured of.
            policy = _asked(policy, prompt)
            done += 1
            steps[name] = _steps(policy)
            progress(done, parts)
        policy = _asked(policy, PROMPT)
        steps["train"]["trl"] = _stock_steps(policy, None, Path(directory))
        progress(parts, parts)
        policy = _asked(policy, TEXT_PROMPT)
        steps["free_text"]["trl"] = _stock_steps(policy, REWARDING, Path(directory))
    return {"model": model, "device": _device(), "classify": verdict, "screens_per_s": rates, **steps}


def _check(model: str) -> None:
    if model not in MODELS:
        raise NightshiftError(f"no model {model!r} to measure; there are: {', '.join(MODELS)}")
    if model == "3b" and not torch.cuda.is_available():
        raise NightshiftError(
            "there is no GPU here that torch can use, and 3 billion weights are measured on one; --model tiny shows on "
            "any machine that the benchmark runs"
        )


def _student(model: str, directory: Path) -> VlmPolicy:
    if model == "tiny":
        return VlmPolicy.create(PROMPT, VlmSettings(model=str(tiny_vlm("qwen2_5_vl", directory / model))))
    return VlmPolicy.create(PROMPT, VlmSettings(model=str(random_3b(directory / model)), dtype="bfloat16"))


def _asked(policy: VlmPolicy, prompt: Prompt) -> VlmPolicy:
    """The same base with an adapter that has learnt nothing, asked otherwise; what memory the old one held is freed."""
    config, folder = policy.config.model_copy(update={"prompt": prompt}), policy.folder
    policy.model.to("meta")
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return VlmPolicy(config, folder, None)


def _verdicts(policy: VlmPolicy) -> dict[str, Any]:
    took_ms = []
    for number, png in zip(range(WARM_UP + VERDICTS), _screens(), strict=False):
        started = time.perf_counter()
        library = _Pictures()
        answer(policy, [library.add(png, number)], library).argmax(dim=1).tolist()
        took_ms.append((time.perf_counter() - started) * 1000)
    timed = sorted(took_ms[WARM_UP:])
    p95_ms = timed[min(len(timed) - 1, round(0.95 * len(timed)))]
    return {"n": len(timed), "side": SIDE, "p50_ms": round(statistics.median(timed), 1), "p95_ms": round(p95_ms, 1)}


def _screens_per_s(policy: VlmPolicy, size: int) -> float:
    took_s = []
    for _ in range(3):
        pngs = [png for _, png in zip(range(size), _screens(), strict=False)]
        started = time.perf_counter()
        library = _Pictures()
        examples = [library.add(png, number) for number, png in enumerate(pngs)]
        score(policy, policy.encode(examples, library), size)
        took_s.append(time.perf_counter() - started)
    return round(size / min(took_s), 2)


def _items(library: "_Pictures", answers: tuple[str, ...] | None) -> list[TrainingItem]:
    """A batch of items, each with its picture; in a closed set every second answer is right."""
    found = []
    for row, png in zip(range(STEP.batch_size), _screens(), strict=False):
        example = library.add(png, row).model_copy(update={"answers": answers})
        rewards = (float(row % 2), float(1 - row % 2)) if answers is not None else ()
        found.append(TrainingItem(example=example, rewards=rewards, origin="judged"))
    return found


def _steps(policy: VlmPolicy) -> dict[str, Any]:
    """Steps of one batch of encoded examples; the first is not timed."""
    library = _Pictures()
    items = _items(library, policy.answers)
    features = policy.encode([item.example for item in items], library)
    objective = _objective(policy, items, features)
    optimizer = policy.optimizer(STEP.learning_rate, len(items))
    rows_N = torch.arange(len(items), device=policy.model.device)
    policy.model.train()
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    took_s = []
    for step in range(1 + STEPS):
        started = time.perf_counter()
        drawn = objective.draw(rows_N, step)
        scores = objective.forward({**collate(policy, features), **objective.beside(drawn)})
        loss, _ = objective(scores, drawn)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        took_s.append(time.perf_counter() - started)
    return {"prompts": len(items), "group_size": STEP.group_size, **_figures(took_s[1:])}


def _objective(policy: VlmPolicy, items: Sequence[TrainingItem], features: Sequence[Features]) -> Objective:
    if policy.answers is None:
        live = LiveItems(items, features, torch.zeros(len(items), 0), STEP, seed=0)
        return FreeTextObjective(policy, live, REWARDING, InTrainer(), STEP, champion_entropy=0.0, seed=0)
    reference_MKT = score_tokens(policy, features, len(features)).to(policy.model.device)
    targets = Targets.of(items, answers_of_tokens(reference_MKT).cpu()).to(policy.model.device)
    return TokenObjective(policy, targets, reference_MKT, STEP, seed=0)


def _stock_steps(policy: VlmPolicy, rewarding: Rewarding | None, scratch: Path) -> dict[str, Any] | None:
    """The same by TRL's own trainer, from the end of a step to the end of the next; None where it is not installed."""
    if find_spec("trl") is None:
        return None
    from core.learning.stock import StepTimes, stock_trainer

    library = _Pictures()
    items = _items(library, policy.answers)
    times = StepTimes()
    settings = STEP.model_copy(update={"steps": 2 + STEPS})
    trainer = stock_trainer(
        policy, items, library, settings, seed=0, output_dir=scratch, rewarding=rewarding, callbacks=[times]
    )
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    trainer.train()
    return _figures(times.seconds[1:])


def _figures(took_s: Sequence[float]) -> dict[str, Any]:
    step_s = statistics.median(took_s)
    return {
        "step_s": round(step_s, 4),
        "samples_per_s": round(STEP.batch_size * STEP.group_size / step_s, 2),
        "peak_gib": round(torch.cuda.max_memory_allocated() / 2**30, 2) if torch.cuda.is_available() else None,
    }


def _share_of_vowels(text: str) -> float:
    return sum(each in "aeiou" for each in text) / max(1, len(text))


def _screens() -> Iterator[bytes]:
    """Pictures of windows with lines of text, encoded; each another."""
    number = 0
    while True:
        image = Image.new("RGB", (SIDE, SIDE), (238, 240, 243))
        draw = ImageDraw.Draw(image)
        draw.rectangle((40, 40, SIDE - 40, SIDE - 40), fill="white", outline=(120, 120, 120))
        for line in range(45):
            draw.text(
                (60, 60 + 20 * line), f"{number} line {line}: the quarterly report is due on Friday", fill="black"
            )
        file = io.BytesIO()
        image.save(file, "PNG")
        yield file.getvalue()
        number += 1


class _Pictures:
    """The decoded pictures of one call. Meets `core.policy.Library` for policies that look at pixels."""

    def __init__(self) -> None:
        self._images: dict[str, Image.Image] = {}

    def add(self, png: bytes, number: int) -> Example:
        """The example of a picture."""
        media = content_id(number)
        self._images[media] = Image.open(io.BytesIO(png)).convert("RGB")
        return Example.make("screen", (media,), "Write the report.", answers=PROMPT.answers, cluster=media)

    def image(self, media: str) -> Image.Image:
        return self._images[media]

    def reading(self, media: str) -> "Reading":
        raise NightshiftError(f"picture {media} is not read here: the benchmark's student looks at pixels")

    def arrays(self, media: str, name: str, make: "Callable[[], Arrays]") -> "Arrays":  # noqa: ARG002
        return make()


def _device() -> str:
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m core.learning.on_gpu", description=__doc__)
    parser.add_argument("--model", choices=MODELS, default="3b")
    try:
        found = bench_gpu(parser.parse_args().model)
    except NightshiftError as error:
        sys.exit(f"nightshift: {error}")
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
