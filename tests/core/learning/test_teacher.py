"""A judge that is asked in the midst of a training, over HTTP, once for all that was sampled for an item."""

from pathlib import Path

import pytest
from chat_server import ChatServer, running
from memory_library import MemoryLibrary

from core.environments import environment
from core.environments.group_qc.contract import FAIL
from core.environments.group_qc.dossier import Dossier
from core.environments.group_qc.missions import named
from core.environments.group_qc.rewards import group_rewards
from core.judge import Spent
from core.learning import Rewarding, TrainingItem
from core.learning.teacher import Teacher, judge_at, told_by
from core.schema import NightshiftError
from core.settings import Settings, load_settings

DOSSIER = Dossier.of(named("grounding_cable"), ["正面，接地线已接好，标签清晰", "左侧，接地线松脱，标签清晰"])
SAID = f"{FAIL}\n图片_2接地线松脱"
VAGUE = f"{FAIL}\n图片_2有些问题"


def item(cluster: str = "one") -> TrainingItem:
    example = environment("group_qc").example(("a" * 64, "b" * 64), DOSSIER.text, cluster=cluster)
    return TrainingItem(example=example, rewards=(None, None), label=1, origin="correction")


def told(home: Path, url: str, **judging: object) -> Settings:
    return load_settings(home, judge="openai", judging={"base_url": url, "model": "m", "tries": 1, **judging})


def teacher(home: Path, url: str, kept: Path, spent: Spent = Spent(), **judging: object) -> Teacher:  # noqa: B008
    rewards = environment("group_qc").training_rewards(told(home, url, **judging))
    assert rewards is not None and rewards.judge is not None
    return Teacher(judge_at(rewards.judge.place, rewards.judge.arguments), MemoryLibrary(), kept, spent)


def test_all_that_was_sampled_for_an_item_is_scored_in_one_call_and_its_reason_earns_the_score(home: Path) -> None:
    server = ChatServer(score_of={SAID: 0.9, VAGUE: 0.2})
    with running(server):
        asked = Rewarding(group_rewards(), teacher=teacher(home, server.url, home / "kept.jsonl"))
        ((good, vague, again),) = asked.of_groups([item()], [[SAID, VAGUE, SAID]])
        assert len(server.requests) == 1
        assert "image_url" not in str(server.requests[0]), "the photos are no part of what a reason is judged by"
    assert (good[1]["reason"], vague[1]["reason"], again) == (0.9, 0.2, good)
    assert good[0] is not None and vague[0] is not None and good[0] > vague[0]


def test_a_training_that_goes_on_is_told_the_same_and_pays_nothing_again(home: Path) -> None:
    kept = home / "kept.jsonl"
    server = ChatServer(score_of={SAID: 0.9})
    with running(server):
        first = Rewarding(group_rewards(), teacher=teacher(home, server.url, kept)).of_groups([item()], [[SAID]])
        kept.write_text(kept.read_text() + '{"id": "cut off by a ki')
        again = Rewarding(group_rewards(), teacher=teacher(home, server.url, kept)).of_groups([item()], [[SAID]])
        assert (again, len(server.requests)) == (first, 1)
    assert [each.calls for each in told_by(kept)] == [1]


def test_where_the_budget_is_spent_the_reason_is_worth_nothing_either_way(home: Path) -> None:
    server = ChatServer()
    with running(server):
        broke = teacher(home, server.url, home / "kept.jsonl", Spent(tokens=100), soft_tokens=100)
        (((reward, parts),),) = Rewarding(group_rewards(), teacher=broke).of_groups([item()], [[SAID]])
        assert server.requests == []
    assert (parts["reason"], reward) == (None, 1.0)


def test_the_embedded_judge_needs_no_teacher_and_a_place_without_a_judge_is_refused(home: Path) -> None:
    rewards = environment("group_qc").training_rewards(load_settings(home))
    assert rewards is not None and rewards.judge is None
    with pytest.raises(NightshiftError, match="no judge at"):
        judge_at("core.environments.group_qc.judge:nobody", {})
