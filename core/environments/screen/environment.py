"""The screen environment: one picture and a description of the work, on task or off task."""

from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np
from PIL.Image import Image
from pydantic import JsonValue

from core.environments.base import Attack, Environment
from core.environments.screen.hostile import attacked
from core.environments.screen.prompt import JUDGE_PROMPT, PROMPT, PROMPT_FOR_TEXT
from core.environments.screen.siblings import rerender, restate
from core.environments.screen.titles import application_of, kept_window_title
from core.environments.screen.variants import KINDS, evidence_left, may_stand_for, rewrites
from core.environments.screen.verifier import visual_verifier
from core.judge import Judge, ReadingJudge, chosen_judge
from core.learning.variants import VariantKind
from core.policy import Library, Policy
from core.policy.reader.background import Background
from core.policy.reader.policy import ReaderPolicy
from core.policy.reader.prompted import PromptedPolicy
from core.policy.vlm.policy import VlmPolicy
from core.policy.vlm.prompt import Prompt
from core.reading import Reading, text_encoder
from core.reward import Question, Reward, exact_verdict, judged
from core.schema import Example
from core.settings import Settings

__all__ = ["ScreenEnvironment", "screen_background"]

ON_TASK, OFF_TASK = PROMPT.answers


@lru_cache(maxsize=1)
def screen_background() -> Background:
    """What people do on screens, as shipped with this environment."""
    return Background.read(Path(__file__).parent / "data" / "activities.json")


class ScreenEnvironment(Environment):
    """See the module's docstring; design table, first row."""

    name: ClassVar[str] = "screen"
    title: ClassVar[str] = "Screens"
    answers: ClassVar[tuple[str, ...] | None] = (ON_TASK, OFF_TASK)
    answer_titles: ClassVar[dict[str, str]] = {ON_TASK: "On task", OFF_TASK: "Off task"}
    ask_title: ClassVar[str] = "Work description"
    ask_placeholder: ClassVar[str] = "What should be on the screen? For example: Prepare the quarterly sales report."
    policies: ClassVar[dict[str, type[Policy]]] = {"reader": ReaderPolicy, "vlm": VlmPolicy}
    prompt: ClassVar[Prompt] = PROMPT
    variant_kinds: ClassVar[tuple[VariantKind, ...]] = KINDS

    def untrained_policy(self, settings: Settings) -> Policy:
        if self.policy_class(settings.policy) is VlmPolicy:
            return VlmPolicy.create(self.prompt, settings.vlm)
        reader = settings.reader
        return ReaderPolicy.create(
            (ON_TASK, OFF_TASK),
            screen_background(),
            activities=reader.activities,
            adapted_layers=reader.adapted_layers,
        )

    def prompted_policy(self, settings: Settings) -> Policy:
        untrained = self.untrained_policy(settings)
        if isinstance(untrained, VlmPolicy):
            return untrained
        return PromptedPolicy(PROMPT_FOR_TEXT, (ON_TASK, OFF_TASK), screen_background())

    def judge(self, settings: Settings) -> Judge:
        return chosen_judge(settings, JUDGE_PROMPT, {ReadingJudge.name: lambda: ReadingJudge(screen_background())})

    def rewards(self, settings: Settings, *, judge_share: float) -> tuple[Reward, ...]:
        return (
            Reward("judge", settings.reward.judge * judge_share, judged),
            Reward("exact_verdict", settings.reward.exact_verdict, exact_verdict),
            Reward("visual_verifier", settings.reward.visual_verifier, visual_verifier),
        )

    def domain(self, example: Example) -> str:
        background = screen_background()
        vectors = background.vectors(text_encoder())
        nearest = int(np.argmax(vectors.works_WD @ text_encoder().embed([example.ask])[0]))
        owners = [activity.name for activity in background.activities for _ in activity.works]
        return owners[nearest]

    def application(self, example: Example, library: Library) -> str:
        return application_of(kept_window_title(example.media[0], library))

    def rewrites(self, ask: str) -> dict[str, str]:
        return rewrites(ask)

    def may_stand_for(self, ask: str, how: str, text: str) -> bool:
        return len(text) <= self.max_ask_characters and may_stand_for(ask, how, text)

    def evidence_left(self, ask: str, before: Reading, after: Reading) -> float:
        return evidence_left(ask, before, after)

    def siblings(self, image: Image, ask: str, generator: np.random.Generator) -> list[tuple[Image, str]]:
        other, restated = rerender(image, generator), restate(ask, generator)
        return [(other, ask), (image, restated), (other, restated)]

    def attacks(
        self, image: Image, reading: Reading, ask: str, goal: str, generator: np.random.Generator
    ) -> list[Attack]:
        return attacked(image, reading, ask, goal, generator)

    def gold_and_cheats(self) -> list[tuple[Question, JsonValue, bool]]:
        example = self.example(("0" * 64,), "Answer on_task if the screen says so.", cluster="validate")
        found: list[tuple[Question, JsonValue, bool]] = []
        for label, other in ((ON_TASK, OFF_TASK), (OFF_TASK, ON_TASK)):
            question = Question(example=example, label=label)
            found += [(question, label, True), (question, other, False)]
            found += [(question, cheat, False) for cheat in _cheats(label, other, example.ask)]
        return found


def _cheats(label: str, other: str, ask: str) -> list[JsonValue]:
    """Ways to look right without being it: nothing, both, the prompt, parts, sentences, look-alikes, masses."""
    spoken = label.replace("_", " ")
    return [
        "", " ", "\n", None, [], {}, True, 1, "1", "true", "yes",
        f"{label} {other}", f"{label}, {other}", f"{other} or {label}", [label, other], f"{label}\n{other}",
        ask, PROMPT.question, PROMPT.system, JUDGE_PROMPT.statements[label],
        label[:1], label[:2], label[:-1], f"{label}_", f"{label}s",
        f"the answer is {label}", f"{label}.", f'"{label}"', f"{label} because the screen shows it", f"not {other}",
        label.upper(), label.title(), spoken, label.replace("_", "-"), label.replace("_", ""), f" {label}", f"{label} ",
        label.replace("a", "\u0430"), label.replace("o", "\u03bf"), label.replace("_", "\uff3f"), f"{label}\u200b",
        "".join(chr(ord(sign) + 0xFEE0) for sign in label), label.replace("s", "s\u0301"),
        "auf der aufgabe", "en la tarea", "\u4efb\u52a1\u4e2d", "hors sujet",
        [label], {"answer": label}, {label: True}, f"{label} " * 500, label * 5000, "x" * 100_000,
    ]  # fmt: skip
