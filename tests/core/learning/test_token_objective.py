import pytest
import torch
from linear_policy import LinearPolicy, item, new_policy, vector_of
from pydantic import ValidationError

from core.learning import TrainingResult, train
from core.schema import NightshiftError
from core.settings import LearningSettings


class OneTokenPolicy(LinearPolicy):
    """Answers of one token each, over a vocabulary of just these."""

    answer_mask_KT = torch.ones(3, 1, dtype=torch.bool)

    def answer_token_logprobs(self, batch):
        return self.answer_logprobs(batch)[..., None]


def settings_of(objective):
    return LearningSettings(
        objective=objective,
        groups="sampled",
        steps=60,
        batch_size=24,
        learning_rate=0.05,
        likelihood_weight=0.0,
        kl_weight=0.01,
    )


def trained(tmp_path, policy, settings) -> TrainingResult:
    rewards = ((0.1, 1.0, 0.3), (1.0, 0.2, 0.1), (0.0, None, 1.0))
    items = [item(f"screen {i}", rewards=rewards[i % 3], origin="judged") for i in range(12)]
    return train(items, [vector_of(each.example) for each in items], policy, settings, seed=1, out=tmp_path / "out")


@pytest.mark.parametrize("objective", ["grpo", "dr_grpo"])
def test_rewards_teach_through_the_tokens_of_sampled_answers(tmp_path, objective):
    result = trained(tmp_path, new_policy(OneTokenPolicy), settings_of(objective))
    assert result.end["reward"] > result.start["reward"] + 0.15


def test_a_policy_without_tokens_is_refused(tmp_path):
    with pytest.raises(NightshiftError, match="scores whole answers"):
        trained(tmp_path, new_policy(), settings_of("grpo"))


def test_a_loss_over_tokens_with_exact_groups_is_refused():
    with pytest.raises(ValidationError, match='set groups = "sampled"'):
        LearningSettings(objective="grpo")
