import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from core.schema import Alternative, Correction, DatasetVersion, Example, Judgment, Release, content_id, new_id

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(JSON)
def test_the_same_content_has_the_same_id_whatever_way_it_travelled(content: object) -> None:
    travelled = json.loads(json.dumps(content))
    assert content_id(travelled) == content_id(content)  # type: ignore[arg-type]


@given(st.dictionaries(st.text(), st.integers(), max_size=6))
def test_the_order_of_keys_is_no_content(content: dict[str, int]) -> None:
    assert content_id(dict(content)) == content_id(dict(reversed(content.items())))


@given(st.text(), st.text())
def test_parts_do_not_run_into_each_other(left: str, right: str) -> None:
    assert content_id(left, right) != content_id(left + right)
    assert (content_id(left, right) == content_id(right, left)) == (left == right)


def test_a_content_id_is_64_hex_digits_and_never_changes() -> None:
    assert content_id("screen", ["a"], "Wörk") == "e3a3c9d4e8eb6725945d5b1f0b4cef2db1f77a7fe15e2682e3ed458be740e36d"


def test_new_ids_sort_by_the_time_they_were_made_at() -> None:
    ids = []
    for _ in range(5):
        ids.append(new_id())
        time.sleep(0.002)
    assert ids == sorted(ids)


def test_new_ids_are_version_7_uuids_and_all_different() -> None:
    ids = {new_id() for _ in range(10_000)}
    assert len(ids) == 10_000
    assert all(len(id) == 32 and id[12] == "7" and id[16] in "89ab" for id in ids)


def test_an_examples_id_follows_from_environment_inputs_and_question_alone() -> None:
    one = Example.make("screen", ("m",), "Write the report.", cluster="a", answers=("on_task", "off_task"))
    same = Example.make("screen", ("m",), "Write the report.", cluster="b", parent="p")
    others = [
        Example.make("other", ("m",), "Write the report."),
        Example.make("screen", ("n",), "Write the report."),
        Example.make("screen", ("m",), "Write the letter."),
    ]
    assert one.id == same.id
    assert len({one.id, *(other.id for other in others)}) == 4


def test_a_releases_id_does_not_depend_on_the_order_of_its_roles() -> None:
    assert Release.make("screen", {"a": "1", "b": "2"}).id == Release.make("screen", {"b": "2", "a": "1"}).id


def test_a_dataset_versions_id_does_not_depend_on_the_order_of_its_items() -> None:
    one = DatasetVersion.make("screen", {"train": ("b", "a"), "golden": ("c",)})
    other = DatasetVersion.make("screen", {"golden": ("c",), "train": ("a", "b")})
    assert (one.id, one.items) == (other.id, other.items)
    assert one.id != DatasetVersion.make("screen", {"train": ("a", "c"), "golden": ("b",)}).id


def test_records_cannot_be_changed() -> None:
    word = Correction(id=new_id(), environment="screen", example="e", answer="on_task")
    with pytest.raises(ValidationError, match="frozen"):
        word.answer = "off_task"  # type: ignore[misc]


def test_a_field_that_is_none_is_refused() -> None:
    with pytest.raises(ValidationError, match="verdict"):
        Correction.model_validate({"id": "1", "environment": "screen", "example": "e", "answer": None, "verdict": 1})


def test_a_judgment_says_nothing_about_an_answer_it_did_not_score() -> None:
    judgment = Judgment(
        id="j", environment="screen", example="e", judge="x", prompt_version="1",
        scores=(Alternative(answer="on_task", score=0.0),),
    )  # fmt: skip
    assert judgment.score_of("on_task") == 0.0
    assert judgment.score_of("off_task") is None
