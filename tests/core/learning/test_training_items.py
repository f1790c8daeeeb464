import pytest
import torch
from linear_policy import example, item
from pydantic import ValidationError

from core.learning import TrainingItem, load_features, load_items, save_features, save_items
from core.schema import Example, NightshiftError


def test_items_come_back_from_disk_as_they_were(tmp_path):
    items = [
        item("a", rewards=(0.5, None, 1.0), origin="judged", priority=2.5),
        item("b", label=2, label_weight=0.3, parent=example("a").id, cluster="c1", origin="variant"),
    ]
    save_items(tmp_path / "items.json", items)
    assert load_items(tmp_path / "items.json") == items


@pytest.mark.parametrize(
    "fields",
    [
        {"rewards": (1.0, 0.0)},
        {"label": 3},
        {"label": -1},
        {"weight": 0.0},
        {"priority": -1.0},
        {"rewards": (float("nan"), 0.0, 0.0)},
        {"origin": "somewhere"},
    ],
)
def test_an_item_that_does_not_fit_its_answers_is_refused(fields):
    with pytest.raises(ValidationError):
        item("a", **fields)


def test_an_item_in_free_text_has_an_answer_in_words_and_no_numbered_ones():
    free = Example.make("test", (), "free text")
    assert TrainingItem(example=free, gold="yes", origin="correction").effective_rewards == ()
    with pytest.raises(ValidationError, match="answered in free text"):
        TrainingItem(example=free, rewards=(1.0,), origin="judged")
    with pytest.raises(ValidationError, match="closed set"):
        item("a", gold="yes")


@pytest.mark.parametrize("content", [None, "not json", '[{"rewards": []}]'])
def test_a_file_that_holds_no_items_is_refused_in_one_line(tmp_path, content):
    path = tmp_path / "items.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(NightshiftError) as refusal:
        load_items(path)
    assert "\n" not in str(refusal.value) and str(path) in str(refusal.value)


def test_features_of_any_shape_and_type_come_back_as_they_were(tmp_path):
    features = [
        {"lines": torch.randn(3, 4), "mask": torch.tensor([True, False]), "place": torch.tensor(7)},
        {"lines": torch.randn(0, 4), "mask": torch.tensor([True]), "place": torch.tensor(9)},
        {"lines": torch.randn(2, 4), "mask": torch.tensor([False]), "place": torch.tensor(7)},
    ]
    save_features(tmp_path / "features.safetensors", features)
    loaded = load_features(tmp_path / "features.safetensors")
    assert len(loaded) == 3
    for before, after in zip(features, loaded, strict=True):
        assert before.keys() == after.keys()
        assert all(
            torch.equal(before[name], after[name]) and before[name].dtype == after[name].dtype for name in before
        )


def test_a_screen_that_many_examples_share_is_kept_once(tmp_path):
    screen = torch.randn(60, 384)
    save_features(tmp_path / "one", [{"screen": screen, "ask": torch.randn(8)}])
    save_features(tmp_path / "many", [{"screen": screen.clone(), "ask": torch.randn(8)} for _ in range(50)])
    assert (tmp_path / "many").stat().st_size < 1.1 * (tmp_path / "one").stat().st_size


def test_equal_features_make_equal_files(tmp_path):
    features = [{"b": torch.arange(4.0), "a": torch.ones(2)}, {"a": torch.ones(2), "b": torch.zeros(4)}]
    for name in ("first", "second"):
        save_features(tmp_path / name, features)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def test_a_damaged_or_missing_feature_file_is_refused(tmp_path):
    (tmp_path / "damaged").write_bytes(b"no safetensors")
    for name in ("damaged", "missing"):
        with pytest.raises(NightshiftError, match=name):
            load_features(tmp_path / name)


def test_an_example_need_not_have_what_others_have(tmp_path):
    features = [{"ask": torch.ones(1), "pixels": torch.arange(3.0)}, {"ask": torch.zeros(1)}]
    save_features(tmp_path / "features", features)
    first, second = load_features(tmp_path / "features")
    assert torch.equal(first["pixels"], torch.arange(3.0))
    assert list(second) == ["ask"]
