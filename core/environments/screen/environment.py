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
from core.environments.screen.variants import OTHER_WORK, RECOLOURED, RESCALED, REWORDED
from core.environments.screen.verifier import visual_verifier
from core.judge import Judge, ReadingJudge, remote_judge
from core.learning.variants import VariantKind
from core.policy import Policy
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
    variant_kinds: ClassVar[tuple[VariantKind, ...]] = (REWORDED, OTHER_WORK, RESCALED, RECOLOURED)

    def untrained_policy(self, settings: Settings) -> Policy:
        if self.policy_class(settings.policy) is VlmPolicy:
            return VlmPolicy.create(self.prompt, settings.vlm)
        return ReaderPolicy.create((ON_TASK, OFF_TASK), screen_background(), activities=settings.reader.activities)

    def prompted_policy(self, settings: Settings) -> Policy:
        untrained = self.untrained_policy(settings)
        if isinstance(untrained, VlmPolicy):
            return untrained
        return PromptedPolicy(PROMPT_FOR_TEXT, (ON_TASK, OFF_TASK), screen_background())

    def judge(self, settings: Settings) -> Judge:
        if settings.judge == ReadingJudge.name:
            return ReadingJudge(screen_background())
        return remote_judge(settings.judge, JUDGE_PROMPT, settings.judging)

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

    def siblings(self, image: Image, ask: str, generator: np.random.Generator) -> list[tuple[Image, str]]:
        other, restated = rerender(image, generator), restate(ask, generator)
        return [(other, ask), (image, restated), (other, restated)]

    def attacks(
        self, image: Image, reading: Reading, ask: str, goal: str, generator: np.random.Generator
    ) -> list[Attack]:
        return attacked(image, reading, ask, goal, generator)

    def gold_and_cheats(self) -> list[tuple[Question, JsonValue, bool]]:
        cheats: list[JsonValue] = [
            "", " ", "on_task off_task", "on_task, off_task", "On_Task", "on task", "on_task.", '"on_task"',
            "the answer is on_task", "ON_TASK", "on_tаsk", "auf der aufgabe", "on", "o", "true", "1", 1, True, None,
            ["on_task"], {"answer": "on_task"}, "on_task " * 500, "ｏｎ＿ｔａｓｋ",
        ]  # fmt: skip
        example = self.example(("0" * 64,), "Answer on_task if the screen says so.", cluster="validate")
        question = Question(example=example, label=ON_TASK)
        gold: list[tuple[Question, JsonValue, bool]] = [
            (question, ON_TASK, True),
            (Question(example=example, label=OFF_TASK), OFF_TASK, True),
            (question, OFF_TASK, False),
        ]
        return gold + [(question, cheat, False) for cheat in cheats]
