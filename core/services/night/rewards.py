"""What each answer to an example earns in a night, part by part."""

from collections.abc import Sequence
from typing import NamedTuple

from pydantic import JsonValue

from core.reward import Question, combine, reward_parts
from core.schema import Example, Judgment, Rollout, Run, content_id
from core.services.workspace import Workspace

__all__ = ["Earned", "earned_by_answer", "rollouts_of"]


class Earned(NamedTuple):
    """What one answer earns."""

    answer: JsonValue
    parts: dict[str, float | None]
    "By name; None where a part had nothing to say."
    reward: float | None
    "Their weighted mean, before a label overrides it."


def earned_by_answer(
    ws: Workspace, judge_share: float, example: Example, label: JsonValue, judgment: Judgment | None
) -> list[Earned]:
    """One for each answer of the example's closed set; none where students write more, which only sampling shows."""
    if ws.environment(example.environment).answer_form is not None:
        return []
    rewards = ws.environment(example.environment).rewards(ws.settings, judge_share=judge_share)
    question = Question(example=example, label=label, judgment=judgment, library=ws.library)
    earned = []
    for candidate in example.answers or ():
        parts = reward_parts(question, candidate, rewards)
        earned.append(Earned(candidate, parts, combine(parts, rewards, label_says=None)))
    return earned


def rollouts_of(run: Run, example: Example, label: JsonValue, earned: Sequence[Earned]) -> list[Rollout]:
    """What the store keeps of it: the parts, and the reward that is trained on, which a label decides alone."""
    return [
        Rollout(
            id=content_id(run.id, example.id, each.answer),
            environment=example.environment,
            example=example.id,
            run=run.id,
            answer=each.answer,
            reward=each.reward if label is None else float(each.answer == label),
            reward_parts=each.parts,
        )
        for each in earned
    ]
