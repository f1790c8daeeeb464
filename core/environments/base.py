"""What one problem needs, bound together. Nothing outside an environment knows what its labels mean."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, NamedTuple

import numpy as np
from PIL.Image import Image
from pydantic import JsonValue

from core.judge import Judge
from core.learning.variants import VariantKind
from core.policy import Library, Policy
from core.policy.form import TextForm
from core.policy.vlm.prompt import Prompt
from core.reading import Reading
from core.reward import Question, Reward, combine, reward_parts
from core.schema import CANNOT_TELL, Evidence, Example, NightshiftError
from core.settings import LearningSettings, Settings

__all__ = ["Attack", "EarlierStage", "Environment", "JudgeAt", "RewardsAt"]


class Attack(NamedTuple):
    """A picture that someone wrote on to get a verdict."""

    kind: str
    text: str
    image: Image
    quotes: bool
    "Whether the text is the description of the work itself, which honest screens may hold too."


class JudgeAt(NamedTuple):
    """Where a training process finds its judge: `package.module:function`, and its arguments."""

    place: str
    arguments: dict[str, JsonValue]


class RewardsAt(NamedTuple):
    """Where a training process finds the rewards of what is sampled: `package.module:function`, and its arguments."""

    place: str
    arguments: dict[str, JsonValue]
    judge: JudgeAt | None = None
    "Who is asked about all that was sampled for an item, in one call."


class EarlierStage(NamedTuple):
    """What works before the student and is corrected by people too."""

    name: str
    "Of its checkpoint in a release."
    examples: str
    "The environment that its examples, and what people say of them, are stored under."
    least: int
    "Corrections from which on a night tunes it."
    learning: LearningSettings
    rewards: RewardsAt


class Environment(ABC):
    """One problem: its examples, answers, students, teacher, rewards, variants, and what to call things on a page."""

    name: ClassVar[str]
    title: ClassVar[str]
    answers: ClassVar[tuple[str, ...] | None]
    "The closed answer set; a student may write more than that, and is counted by it."
    takes_groups: ClassVar[bool] = False
    "Whether an example is several pictures, which come and are judged together; else it is one."
    answer_form: ClassVar[TextForm | None] = None
    "Where a student writes a reason behind its answer: the form of both, an opening for each answer."
    answer_titles: ClassVar[dict[str, str]]
    "How each answer is shown to a person."
    ask_title: ClassVar[str]
    ask_placeholder: ClassVar[str]
    max_ask_characters: ClassVar[int] = 2000
    policies: ClassVar[dict[str, type[Policy]]]
    "Registered students by name."
    prompt: ClassVar[Prompt]
    "What a vision-language student is asked, and the word that stands for each answer."
    variant_kinds: ClassVar[tuple[VariantKind, ...]]

    def example(self, media: Sequence[str], ask: str, *, cluster: str, parent: str | None = None) -> Example:
        """A checked example. Raises NightshiftError for an empty or endless question or no input."""
        ask = " ".join(ask.split())
        if not ask:
            raise NightshiftError(f"{self.ask_title!r} is empty; say in a sentence or two what is asked")
        if len(ask) > self.max_ask_characters:
            raise NightshiftError(f"{self.ask_title!r} has {len(ask)} characters; at most {self.max_ask_characters}")
        if not media:
            raise NightshiftError(f"{self.name} needs an input, and none was given")
        return Example.make(self.name, tuple(media), ask, answers=self.answers, cluster=cluster, parent=parent)

    def parse_answer(self, text: JsonValue) -> str:
        """A person's answer, compared exactly. Raises NightshiftError naming the answers there are."""
        allowed = (*(self.answers or ()), CANNOT_TELL)
        if text not in allowed:
            raise NightshiftError(f"{text!r} is not an answer here; the answers are {', '.join(allowed)}")
        return str(text)

    def written(self, answer: str, reason: str | None) -> str | None:  # noqa: ARG002
        """What a student would have had to write to give `answer` for `reason`; None where it writes the answer alone,
        and where the reason is none that a student may give."""
        return None

    def evidence(self, example: Example, reason: str) -> tuple[Evidence, ...]:  # noqa: ARG002
        """What of the example a reason rests on, where it says so."""
        return ()

    def blank(self) -> Example:
        """An example about nothing: for a student to be warmed up with."""
        return self.example(("blank",), "Warm up.", cluster="")

    def settings(self, settings: Settings) -> Settings:
        """The settings as this environment's student, training and gate take them."""
        return settings

    def training_rewards(self, settings: Settings) -> RewardsAt | None:  # noqa: ARG002
        """What sampled answers are worth in a training; None where a closed set is rewarded beforehand."""
        return None

    def earlier_stages(self, settings: Settings) -> tuple[EarlierStage, ...]:  # noqa: ARG002
        """The stages before the student, in order."""
        return ()

    def staged(
        self,
        examples: Sequence[Example],
        stages: Mapping[str, Policy],  # noqa: ARG002
        library: Library,  # noqa: ARG002
        settings: Settings,  # noqa: ARG002
    ) -> list[Example | None]:
        """Each example as these stages, by their names, make it of its input; None where they make nothing proper."""
        return list(examples)

    @abstractmethod
    def untrained_policy(self, settings: Settings) -> Policy:
        """The student before anybody has corrected it."""

    def untrained_stages(self, settings: Settings) -> dict[str, Policy]:
        """All that serves together in the first release: the student as `policy`, and what works before it."""
        return {"policy": self.untrained_policy(settings)}

    @abstractmethod
    def prompted_policy(self, settings: Settings) -> Policy:
        """What everyone would try first: a fixed prompt and no training. A baseline to measure against."""

    @abstractmethod
    def judge(self, settings: Settings) -> Judge:
        """The teacher chosen in the settings. Raises NightshiftError for a name it does not know."""

    @abstractmethod
    def rewards(self, settings: Settings, *, judge_share: float) -> tuple[Reward, ...]:
        """The reward's parts. `judge_share` is what the judge has earned, 0..1; it scales the judge's weight."""

    @abstractmethod
    def domain(self, example: Example) -> str:
        """The kind of work an example belongs to, for figures by domain."""

    def application(self, example: Example, library: Library) -> str:  # noqa: ARG002
        """What an example's input shows, so that no one such thing floods a training; empty where that is not known."""
        return ""

    def rewrites(self, ask: str) -> dict[str, str]:  # noqa: ARG002
        """What a model is asked to write in place of a question, by the name that variants look for it under.

        That is the kind of variant that it is for, alone or before a slash.
        """
        return {}

    def may_stand_for(self, ask: str, how: str, text: str) -> bool:  # noqa: ARG002
        """Whether what a model wrote, asked for `how`, can be taken in place of `ask`, as far as rules can tell."""
        return False

    def evidence_left(self, ask: str, before: Reading, after: Reading) -> float:  # noqa: ARG002
        """0..1: the share of what decided the label of a picture that reads as `before` which `after` still shows."""
        words = set(before.text.lower().split())
        return len(words & set(after.text.lower().split())) / len(words) if words else 1.0

    @abstractmethod
    def siblings(self, image: Image, ask: str, generator: np.random.Generator) -> list[tuple[Image, str]]:
        """Other pictures and questions a correction should hold for, made in ways that no variant uses."""

    def attacks(
        self,
        image: Image,  # noqa: ARG002
        reading: Reading,  # noqa: ARG002
        ask: str,  # noqa: ARG002
        goal: str,  # noqa: ARG002
        generator: np.random.Generator,  # noqa: ARG002
    ) -> list[Attack]:
        """`image` with text on it by someone who wants the verdict `goal`: one of each kind there is."""
        return []

    @abstractmethod
    def gold_and_cheats(self) -> list[tuple[Question, JsonValue, bool]]:
        """Questions with an answer and whether it is the right one: what `validate` holds the rewards to."""

    def validate(self, settings: Settings) -> list[str]:
        """Runs the whole reward stack on gold answers and on cheats; what it got wrong, in words."""
        rewards = self.rewards(settings, judge_share=1.0)
        problems = []
        for question, answer, right in self.gold_and_cheats():
            value = combine(reward_parts(question, answer, rewards), rewards, label_says=None)
            if value is None or (value >= 1.0) != right or (not right and value > 0.0):
                problems.append(f"answer {answer!r} to {question.example.ask!r} earned {value}")
        return problems

    def policy_class(self, name: str) -> type[Policy]:
        """The student registered as `name`. Raises NightshiftError naming those there are."""
        if name not in self.policies:
            raise NightshiftError(f"{self.name} has no policy {name!r}; there are: {', '.join(sorted(self.policies))}")
        return self.policies[name]

    def describe(self, example: Example, library: Library) -> str | None:  # noqa: ARG002
        """A short caption of an example for a list, where the environment has one."""
        return None
