import json
import math

import pytest
import torch
from linear_policy import ANSWERS, DivergingPolicy, LinearConfig, LinearModel, LinearPolicy, item, new_policy, vector_of

from core.learning import HeldOut, TrainingResult, read_steps, train
from core.learning.scoring import score
from core.learning.training import items_without
from core.schema import Example, NightshiftError
from core.settings import LearningSettings

SETTINGS = LearningSettings(steps=40, batch_size=16, learning_rate=0.05)


def answers_of(policy, items):
    return score(policy, [vector_of(each.example) for each in items], 64).argmax(dim=-1)


def labelled(policy, count, flipped=0):
    """Items whose labels are the policy's own answers, but for the first `flipped`, which a person corrected."""
    bare = [item(f"screen {i}", cluster=f"cluster {i // 2}") for i in range(count)]
    answers = answers_of(policy, bare).tolist()
    return [
        each.model_copy(
            update={
                "label": (answer + 1) % len(ANSWERS) if i < flipped else answer,
                "origin": "correction" if i < flipped else "confirmed",
                "priority": 3.0 if i < flipped else 1.0,
            }
        )
        for i, (each, answer) in enumerate(zip(bare, answers, strict=True))
    ]


def run(items, policy, out, settings=SETTINGS, seed=1, **more):
    return train(items, [vector_of(each.example) for each in items], policy, settings, seed=seed, out=out, **more)


def weights_in(directory):
    return {path.name: path.read_bytes() for path in sorted(directory.iterdir())}


def right(policy, items):
    return (answers_of(policy, items) == torch.tensor([each.label for each in items])).tolist()


@pytest.mark.parametrize("groups", ["exact", "sampled"])
def test_training_mends_planted_mistakes_without_losing_the_rest(tmp_path, groups):
    policy = new_policy()
    items = labelled(policy, 40, flipped=4)
    settings = LearningSettings(steps=150, batch_size=32, learning_rate=0.05, groups=groups, kl_weight=0.02)
    result = run(items, policy, tmp_path / "out", settings)
    after = right(LinearPolicy.load(result.weights), items)
    assert sum(after[:4]) >= 3
    assert sum(after[4:]) >= 34
    assert result.start["label_accuracy"] == pytest.approx(0.9)
    assert result.end["label_accuracy"] == pytest.approx(sum(after) / 40)


def test_rewards_alone_teach_where_nobody_labelled(tmp_path):
    policy = new_policy()
    judged = [
        item(each.example.ask, rewards=[float(k == each.label) for k in range(3)], origin="judged")
        for each in labelled(policy, 30, flipped=3)
    ]
    settings = LearningSettings(steps=150, batch_size=30, learning_rate=0.05, likelihood_weight=0.0, kl_weight=0.0)
    result = run(judged, policy, tmp_path / "out", settings)
    assert result.end["reward"] > result.start["reward"] + 0.2


def test_the_divergence_from_the_champion_is_zero_at_the_first_step(tmp_path):
    policy = new_policy()
    run(labelled(policy, 20, flipped=4), policy, tmp_path / "out")
    steps = read_steps(tmp_path / "out")
    assert steps[0]["kl"] == pytest.approx(0, abs=1e-7)
    assert steps[-1]["kl"] > 0


@pytest.mark.parametrize("groups", ["exact", "sampled"])
def test_the_same_items_and_seed_give_bit_identical_weights(tmp_path, groups):
    settings = SETTINGS.model_copy(update={"groups": groups})
    items = labelled(new_policy(), 30, flipped=5)
    for name in ("first", "second"):
        torch.manual_seed(ord(name[0]))  # whatever happened before must not matter
        run(items, new_policy(), tmp_path / name, settings)
    assert weights_in(tmp_path / "first/full") == weights_in(tmp_path / "second/full")
    run(items, new_policy(), tmp_path / "other", settings, seed=2)
    assert weights_in(tmp_path / "first/full") != weights_in(tmp_path / "other/full")


def test_the_order_in_which_items_come_does_not_matter(tmp_path):
    items = labelled(new_policy(), 30, flipped=5)
    run(items, new_policy(), tmp_path / "first")
    run(items[::-1], new_policy(), tmp_path / "second")
    assert weights_in(tmp_path / "first/full") == weights_in(tmp_path / "second/full")


def test_the_champion_in_memory_is_left_as_it_came(tmp_path):
    policy = new_policy()
    policy.save(tmp_path / "champion")
    before = {name: weight.clone() for name, weight in policy.model.state_dict().items()}
    config = policy.model.config.to_json_string()
    run(labelled(policy, 20, flipped=4), policy, tmp_path / "out")
    assert all(torch.equal(weight, before[name]) for name, weight in policy.model.state_dict().items())
    assert policy.model.config.to_json_string() == config
    assert "forward" not in vars(policy.model)


def test_what_is_saved_bears_no_mark_of_the_trainer(tmp_path):
    policy = new_policy()
    policy.save(tmp_path / "champion")
    run(labelled(policy, 20, flipped=4), policy, tmp_path / "out")
    assert weights_in(tmp_path / "out/full").keys() == weights_in(tmp_path / "champion").keys()
    assert (tmp_path / "out/full/config.json").read_bytes() == (tmp_path / "champion/config.json").read_bytes()


def test_dropout_is_off_in_training_and_put_back_afterwards(tmp_path):
    class WithDropout(LinearModel):
        def __init__(self, config):
            super().__init__(config)
            self.dropout = torch.nn.Dropout(0.5)

        def forward(self, vector):
            return super().forward(self.dropout(vector))

    policy = LinearPolicy(WithDropout(LinearConfig()))
    run(labelled(policy, 20, flipped=4), policy, tmp_path / "out")
    assert read_steps(tmp_path / "out")[0]["kl"] == pytest.approx(0, abs=1e-7)
    assert policy.model.dropout.p == 0.5


def test_frozen_weights_stay_bit_identical(tmp_path):
    policy = new_policy()
    policy.model.head.bias.requires_grad_(False)
    result = run(labelled(policy, 20, flipped=4), policy, tmp_path / "out")
    assert torch.equal(LinearPolicy.load(result.weights).model.head.bias, policy.model.head.bias)


def test_each_fold_is_judged_by_a_challenger_that_never_saw_its_clusters(tmp_path):
    policy = new_policy()
    items = labelled(policy, 24, flipped=6)
    variants = [
        item(f"variant of {each.example.ask}", parent=each.example.id, label=each.label, origin="variant")
        for each in items[:6]
    ]
    held_out = [HeldOut(example=e.example.id, cluster=e.example.cluster, fold=i // 2 % 3) for i, e in enumerate(items)]
    result = run(
        [*items, *variants],
        policy,
        tmp_path / "out",
        held_out=held_out,
        held_out_features=[vector_of(each.example) for each in items],
    )
    assert result.challengers == 4
    assert result.crossfit.keys() == {each.example for each in held_out}

    fold_1 = [each for each in held_out if each.fold == 1]
    kept = [[*items, *variants][row] for row in items_without([*items, *variants], fold_1)]
    assert {each.example.id for each in kept}.isdisjoint(each.example for each in fold_1)
    alone = run(kept, policy, tmp_path / "alone")
    judged = [each for each in items if each.example.id in {h.example for h in fold_1}]
    expected = score(LinearPolicy.load(alone.weights), [vector_of(each.example) for each in judged], 16)
    assert [result.crossfit[each.example.id] for each in judged] == [tuple(row) for row in expected.tolist()]


def test_a_held_out_cluster_takes_its_members_and_all_their_descendants_with_it():
    first, sibling, other = item("a", cluster="1"), item("b", cluster="1"), item("c", cluster="2")
    child = item("child of b", parent=sibling.example.id, origin="variant")
    grandchild = item("child of the child", parent=child.example.id, origin="variant")
    orphan = item("child of one that is not trained on", parent="gone", origin="variant")
    items = [first, sibling, other, child, grandchild, orphan]
    assert items_without(items, [HeldOut(example=first.example.id, cluster="1", fold=0)]) == [2, 5]
    assert items_without(items, [HeldOut(example="gone", cluster="", fold=0)]) == [0, 1, 2, 3, 4]


def test_where_a_fold_leaves_nothing_to_train_on_the_champion_itself_judges(tmp_path):
    policy = new_policy()
    items = labelled(policy, 2)
    held_out = [HeldOut(example=each.example.id, cluster=each.example.cluster, fold=0) for each in items]
    features = [vector_of(each.example) for each in items]
    result = run(items, policy, tmp_path / "out", held_out=held_out, held_out_features=features)
    assert result.challengers == 1
    champion = score(policy, features, 16).tolist()
    assert [result.crossfit[each.example.id] for each in items] == [tuple(row) for row in champion]


def test_every_step_is_written_as_a_line_of_figures(tmp_path):
    policy = new_policy()
    items = labelled(policy, 10, flipped=2)
    held_out = [HeldOut(example=items[0].example.id, cluster=items[0].example.cluster, fold=3)]
    features = [vector_of(items[0].example)]
    run(items, policy, tmp_path / "out", held_out=held_out, held_out_features=features)
    steps = read_steps(tmp_path / "out")
    assert [(each["challenger"], each["step"]) for each in steps] == [
        (name, step) for name in ("full", "fold-3") for step in range(1, SETTINGS.steps + 1)
    ]
    figures = {"loss", "policy_gradient", "likelihood", "kl", "entropy", "reward", "zero_variance", "unscored"}
    assert figures | {"label_accuracy", "learning_rate", "grad_norm", "seconds"} <= steps[0].keys()
    assert all(math.isfinite(each["loss"]) for each in steps)
    assert steps[0]["learning_rate"] == SETTINGS.learning_rate > steps[-1]["learning_rate"]


def test_the_result_names_steps_figures_and_library_versions(tmp_path):
    policy = new_policy()
    result = run(labelled(policy, 10, flipped=2), policy, tmp_path / "out")
    assert TrainingResult.read(tmp_path / "out") == result
    assert (result.items, result.steps, result.challengers) == (10, SETTINGS.steps, 1)
    assert result.end["loss"] < result.start["loss"]
    assert set(result.versions) == {"torch", "transformers", "trl", "peft", "accelerate"}
    assert json.loads((tmp_path / "out/crossfit.json").read_text()) == {}


def test_a_loss_that_is_no_number_stops_the_run_and_leaves_nothing(tmp_path):
    policy = new_policy(DivergingPolicy)
    with pytest.raises(NightshiftError, match="step 2: the loss is no longer a number"):
        run(labelled(policy, 10, flipped=2), policy, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
    assert policy.model.head.bias.abs().sum() == 0


def test_weights_that_are_no_numbers_after_the_last_step_stop_the_run(tmp_path):
    policy = new_policy(DivergingPolicy)
    bad = SETTINGS.model_copy(update={"steps": 1, "learning_rate": float("inf")})
    with pytest.raises(NightshiftError, match="weights that are no numbers"):
        run(labelled(policy, 10, flipped=2), policy, tmp_path / "out", bad)
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_result_survives_a_run_that_fails(tmp_path):
    policy = new_policy()
    run(labelled(policy, 10, flipped=2), policy, tmp_path / "out")
    before = weights_in(tmp_path / "out/full")
    with pytest.raises(NightshiftError):
        run(labelled(new_policy(DivergingPolicy), 10), new_policy(DivergingPolicy), tmp_path / "out")
    assert weights_in(tmp_path / "out/full") == before


def test_input_that_cannot_be_trained_on_is_refused_in_plain_words(tmp_path):
    policy = new_policy()
    items = labelled(policy, 4)
    features = [vector_of(each.example) for each in items]
    stranger = Example.make("test", (), "other answers", answers=("yes", "no", "maybe"))
    frozen = new_policy()
    frozen.model.requires_grad_(False)
    cases = [
        ("nothing to train on", {"items": [], "features": [], "policy": policy}),
        ("3 encoded features for 4", {"items": items, "features": features[:3], "policy": policy}),
        (
            "allows",
            {"items": [items[0].model_copy(update={"example": stranger})], "features": features[:1], "policy": policy},
        ),
        ("no trainable weights", {"items": items, "features": features, "policy": frozen}),
    ]
    for message, given in cases:
        with pytest.raises(NightshiftError, match=message):
            train(**given, settings=SETTINGS, seed=0, out=tmp_path / "out")
    with pytest.raises(NightshiftError, match="at least 2"):
        run(items, policy, tmp_path / "out", SETTINGS.model_copy(update={"batch_size": 1}))
    assert list(tmp_path.iterdir()) == []
