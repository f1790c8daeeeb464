"""Rewards of a step by name."""

import pytest
import torch
from linear_policy import item

from core.learning.reward_figures import rewards_by_name


def test_each_part_is_averaged_over_the_answers_and_items_it_scored() -> None:
    items = [
        item("one", reward_parts={"judge": (1.0, 0.0, None), "verifier": (None, None, None)}),
        item("two", reward_parts={"judge": (None, None, None), "verifier": (0.5, 0.5, 0.5)}),
        item("three"),
    ]
    logprobs_NK = torch.tensor([[0.6, 0.2, 0.2]] * 3).log()
    found = rewards_by_name(items, logprobs_NK)
    assert found == {"reward/judge": pytest.approx(0.75), "reward/verifier": pytest.approx(0.5)}


def test_a_part_that_scored_nothing_has_no_figure() -> None:
    assert rewards_by_name([item("one", reward_parts={"judge": (None,) * 3})], torch.zeros(1, 3)) == {}


def test_a_part_must_speak_of_every_answer() -> None:
    with pytest.raises(ValueError, match="2 values of judge for 3 answers"):
        item("one", reward_parts={"judge": (1.0, 0.0)})
