"""The second environment: photos of a cabinet become lines (stage A), and lines become a verdict with a reason (B).

An example is a group: its pictures, and as what is asked the dossier, that is, mission and lines. The student of the
environment is stage B, which reads the dossier alone. Answers are texts of two lines, counted by their verdict.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from PIL.Image import Image
from pydantic import JsonValue

from core.environments.base import EarlierStage, Environment, JudgeAt, RewardsAt
from core.environments.group_qc.cheats import gold_and_cheats
from core.environments.group_qc.contract import FAIL, FORM, PASS, VERDICTS, images_named, parse_answer
from core.environments.group_qc.dossier import Dossier
from core.environments.group_qc.judge import SummaryJudge, judge_of, reason_judge
from core.environments.group_qc.missions import missions, named
from core.environments.group_qc.prompt import PROMPT, SUMMARY_PROMPT
from core.environments.group_qc.rewards import group_rewards, line_rewards
from core.environments.group_qc.summaries import STAGE_A, GroupPhotos, Summariser, summarise
from core.environments.group_qc.variants import IRRELEVANT_OUT, RELEVANT_OUT, REWORDED, SHUFFLED, restated
from core.judge import Judge
from core.learning.rollouts.in_trainer import InTrainer
from core.learning.variants import VariantKind
from core.policy import Library, Policy
from core.policy.form import TextForm
from core.policy.vlm.policy import VlmPolicy
from core.policy.vlm.prompt import Prompt
from core.reward import Question, Reward
from core.schema import Evidence, Example, NightshiftError
from core.settings import Settings

__all__ = ["SUMMARIES", "GroupQcEnvironment"]

SUMMARIES = "summaries"
"Stage A in a release; stage B is its `policy`."


class GroupQcEnvironment(Environment):
    """See the module's docstring; design table, second row."""

    name: ClassVar[str] = "group_qc"
    title: ClassVar[str] = "Cabinets"
    takes_groups: ClassVar[bool] = True
    answers: ClassVar[tuple[str, ...] | None] = VERDICTS
    answer_titles: ClassVar[dict[str, str]] = {PASS: "通过", FAIL: "不通过"}
    answer_form: ClassVar[TextForm | None] = FORM
    ask_title: ClassVar[str] = "Mission and lines"
    ask_placeholder: ClassVar[str] = "任务：挡风板（air_baffle）"
    max_ask_characters: ClassVar[int] = 12_000
    policies: ClassVar[dict[str, type[Policy]]] = {"vlm": VlmPolicy}
    prompt: ClassVar[Prompt] = PROMPT
    variant_kinds: ClassVar[tuple[VariantKind, ...]] = (SHUFFLED, REWORDED, IRRELEVANT_OUT, RELEVANT_OUT)

    def example(self, media: Sequence[str], ask: str, *, cluster: str, parent: str | None = None) -> Example:
        """Raises NightshiftError also for a dossier that does not fit, or has another number of lines than photos."""
        dossier = Dossier.parse(ask)
        if len(media) != len(dossier.summaries):
            raise NightshiftError(f"{len(media)} photos and {len(dossier.summaries)} lines; each photo has one line")
        if len(ask) > self.max_ask_characters:
            raise NightshiftError(f"{self.ask_title!r} has {len(ask)} characters; at most {self.max_ask_characters}")
        return Example.make(self.name, tuple(media), ask, answers=self.answers, cluster=cluster, parent=parent)

    def written(self, answer: str, reason: str | None) -> str | None:
        try:
            return parse_answer(f"{answer}\n{reason}").text if reason else None
        except NightshiftError:
            return None

    def evidence(self, example: Example, reason: str) -> tuple[Evidence, ...]:
        lines = Dossier.parse(example.ask).summaries
        return tuple(
            Evidence(text=lines[number - 1], media=example.media[number - 1])
            for number in images_named(reason)
            if 1 <= number <= len(lines)
        )

    def blank(self) -> Example:
        mission = next(iter(missions().values()))
        return self.example(("blank",), Dossier.of(mission, ["看不清"]).text, cluster="")

    def settings(self, settings: Settings) -> Settings:
        own = settings.group_qc
        learning = settings.learning.model_copy(
            update={
                "objective": "dapo" if settings.learning.objective == "closed_set" else settings.learning.objective,
                "groups": "sampled",
                "group_size": own.group_size,
                "steps": own.steps,
                "batch_size": own.batch_size,
                "learning_rate": own.learning_rate,
                "kl_weight": own.kl_weight,
                "max_new_tokens": own.max_new_tokens,
            }
        )
        vlm = settings.vlm.model_copy(
            update={"model": own.model or settings.vlm.model, "last_blocks": own.last_blocks, "rank": own.rank}
        )
        # Nothing on a photo is asked of stage B, so that no drawn screen could turn it.
        gate = settings.gate.model_copy(
            update={
                "hostile_screens": 0,
                "costly_answer": PASS,
                "costly_times": own.false_pass_cost,
                "costly_rate": own.false_pass_rate,
            }
        )
        # Only what comes in as single pictures is answered by a challenger on trial.
        rollout = settings.rollout.model_copy(update={"shadow_share": 0.0, "canary_share": 0.0})
        return settings.model_copy(
            update={
                "gate": gate,
                "policy": VlmPolicy.name,
                "vlm": vlm,
                "learning": learning,
                "rollout": rollout,
            }
        )

    def untrained_policy(self, settings: Settings) -> Policy:
        return VlmPolicy.create(self.prompt, settings.vlm)

    def earlier_stages(self, settings: Settings) -> tuple[EarlierStage, ...]:
        own = settings.group_qc
        # The likelihood of people's lines alone: what is drawn beside it only tells how many lines are proper.
        learning = settings.learning.model_copy(
            update={
                "steps": own.summary_steps,
                "batch_size": own.summaries_at_once,
                "group_size": 2,
                "gradient_weight": 0.0,
                "likelihood_weight": 1.0,
                "entropy_weight": 0.0,
                "kl_weight": 0.0,
                "max_new_tokens": own.summary_tokens,
                "collapse_steps": own.summary_steps + 1,
                "rollouts": "transformers",
                "rollout_url": "",
                "rollout_adapters": "",
            }
        )
        rewards = RewardsAt(f"{line_rewards.__module__}:{line_rewards.__name__}", {})
        return (EarlierStage(SUMMARIES, STAGE_A, own.summary_corrections, learning, rewards),)

    def staged(
        self, examples: Sequence[Example], stages: Mapping[str, Policy], library: Library, settings: Settings
    ) -> list[Example | None]:
        """Groups by the lines that this stage A writes of their photos; None for a group that it stops."""
        if SUMMARIES not in stages:
            return list(examples)
        own = settings.group_qc
        writer = Summariser(
            stages[SUMMARIES],
            InTrainer(),
            library,
            stage=SUMMARIES,
            at_once=own.summaries_at_once,
            max_new_tokens=own.summary_tokens,
        )
        dossiers = [Dossier.parse(example.ask) for example in examples]
        found: list[Example | None] = [None] * len(examples)
        for mission in sorted({dossier.mission for dossier in dossiers}):
            places = [place for place, dossier in enumerate(dossiers) if dossier.mission == mission]
            groups = [GroupPhotos(str(place), examples[place].media) for place in places]
            for written in summarise(groups, named(mission, own.missions), writer):
                if written.error is None:
                    example, dossier = examples[int(written.group)], dossiers[int(written.group)]
                    anew = dossier.with_summaries(written.summaries)
                    found[int(written.group)] = self.example(example.media, anew.text, cluster=example.cluster)
        return found

    def untrained_stages(self, settings: Settings) -> dict[str, Policy]:
        own = settings.group_qc
        model = own.summary_model or own.model or settings.vlm.model
        stage_a = settings.vlm.model_copy(
            update={"model": model, "last_blocks": 0, "max_pixels": own.summary_max_pixels}
        )
        return {**super().untrained_stages(settings), SUMMARIES: VlmPolicy.create(SUMMARY_PROMPT, stage_a)}

    def prompted_policy(self, settings: Settings) -> Policy:
        return self.untrained_policy(settings)

    def judge(self, settings: Settings) -> Judge:
        return judge_of(settings)

    def rewards(self, settings: Settings, *, judge_share: float) -> tuple[Reward, ...]:  # noqa: ARG002
        return group_rewards(**settings.group_qc.reward.model_dump())

    def training_rewards(self, settings: Settings) -> RewardsAt | None:
        own = settings.group_qc.reward
        rewards = RewardsAt(f"{group_rewards.__module__}:{group_rewards.__name__}", own.model_dump())
        # The embedded judge is what the reward of the reason goes by where nobody else is asked.
        if own.reason == 0 or settings.judge_names == (SummaryJudge.name,):
            return rewards
        told = settings.model_dump(mode="json", include={"home", "judge", "judging", "judges", "panel"})
        return rewards._replace(judge=JudgeAt(f"{reason_judge.__module__}:{reason_judge.__name__}", told))

    def domain(self, example: Example) -> str:
        return Dossier.parse(example.ask).mission

    def siblings(self, image: Image, ask: str, generator: np.random.Generator) -> list[tuple[Image, str]]:
        return [(image, restated(ask, generator))]

    def gold_and_cheats(self) -> list[tuple[Question, JsonValue, bool]]:
        return gold_and_cheats(self)

    def describe(self, example: Example, library: object) -> str | None:  # noqa: ARG002
        dossier = Dossier.parse(example.ask)
        return f"{dossier.title}, {len(dossier.summaries)} photos"
