import pytest
import torch
from linear_policy import LinearPolicy, item, new_policy, vector_of

from core.learning import read_steps, train
from core.learning.watch import Watch
from core.schema import NightshiftError
from core.settings import LearningSettings

WELL = {
    "loss": 0.3,
    "entropy": 0.4,
    "answer_share": 0.6,
    "label_share": 0.6,
    "zero_variance": 0.5,
}
SAMPLED = LearningSettings(groups="sampled", collapse_steps=3)


def look(figures, settings=SAMPLED, steps=5):
    watch = Watch(settings)
    for step in range(1, steps + 1):
        watch.look(step, {**WELL, **figures})


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        ({"entropy": 0.0}, "hardly any entropy"),
        ({"answer_share": 0.999, "label_share": 0.5}, "one answer to everything"),
        ({"answer_share": 0.999, "label_share": float("nan")}, "one answer to everything"),
        ({"zero_variance": 1.0}, "groups without variance"),
    ],
)
def test_a_collapse_that_lasts_stops_the_training(figures, said):
    look(figures, steps=2)
    with pytest.raises(NightshiftError, match=f"stopped at step 3: the policy has collapsed .{said}"):
        look(figures)


def test_one_good_step_begins_the_count_anew():
    watch = Watch(SAMPLED)
    for step in range(1, 20):
        watch.look(step, {**WELL, "entropy": 0.4 if step % 3 == 0 else 0.0})


def test_an_answer_that_people_nearly_always_gave_is_no_collapse():
    look({"answer_share": 0.999, "label_share": 1.0})


def test_exact_groups_without_variance_are_no_collapse():
    look({"zero_variance": 1.0}, LearningSettings(groups="exact", collapse_steps=3))


def test_a_loss_that_is_no_number_stops_at_once():
    with pytest.raises(NightshiftError, match="step 1: the loss is no longer a number"):
        look({"loss": float("nan")})


def test_a_reward_that_always_likes_the_same_answer_leaves_no_challenger(tmp_path):
    items = [item(f"screen {i}", rewards=(1.0, 0.0, 0.0), origin="judged") for i in range(24)]
    settings = LearningSettings(steps=400, batch_size=24, learning_rate=0.3, kl_weight=0.0, entropy_weight=0.0)
    features = [vector_of(each.example) for each in items]
    with pytest.raises(NightshiftError, match="one answer to everything"):
        train(items, features, new_policy(), settings, seed=1, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_forward_that_differs_from_the_champions_scores_is_not_trained_on(tmp_path):
    class Doubtful(LinearPolicy):
        """Says something else in training than when it serves."""

        def answer_logprobs(self, batch):
            logprobs = super().answer_logprobs(batch)
            return torch.log_softmax(logprobs * (0.5 if self.model.training else 1.0), dim=-1)

    items = [item(f"screen {i}", rewards=(1.0, 0.2, 0.0), origin="judged") for i in range(8)]
    features = [vector_of(each.example) for each in items]
    settings = LearningSettings(steps=3, batch_size=8)
    with pytest.raises(NightshiftError, match=r"differs from the champion's scores of the same items by .* nats"):
        train(items, features, new_policy(Doubtful), settings, seed=1, out=tmp_path / "out")
    train(items, features, new_policy(), settings, seed=1, out=tmp_path / "out")
    assert read_steps(tmp_path / "out")[0]["mismatch"] < 1e-6


def test_an_adaptive_entropy_bonus_holds_more_entropy_than_none(tmp_path):
    items = [item(f"screen {i}", rewards=(1.0, 0.2, 0.0), origin="judged") for i in range(24)]
    features = [vector_of(each.example) for each in items]
    entropies = {}
    for entropy in ("fixed", "adaptive"):
        settings = LearningSettings(
            steps=120, batch_size=24, learning_rate=0.1, kl_weight=0.0, entropy_weight=0.0, entropy=entropy
        )
        train(items, features, new_policy(), settings, seed=1, out=tmp_path / entropy)
        steps = read_steps(tmp_path / entropy)
        entropies[entropy] = steps[-1]["entropy"] / steps[0]["entropy"]
    assert entropies["fixed"] < 0.2
    assert 0.35 < entropies["adaptive"] < 0.7
