import math
import re
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_records import correction, one_of_each

from core.schema import ChosenBy, Correction, Example, Media, NightshiftError, Prediction, Record, StageResult, new_id
from core.store.tables import COLUMNS, KINDS

RECORDS = one_of_each()
ADDED_LATER = {Prediction: ["session", "answer", "confidence", "latency_ms"], Correction: ["answer"], Example: ["ask"]}
"Columns that a later version added: a table has them at its end."


def test_every_kind_of_record_has_a_table():
    assert {type(record) for record in RECORDS} == set(KINDS) == set(Record.__subclasses__())


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.kind)
def test_a_record_is_read_as_it_was_written(store, record):
    assert store.add(record) == 1
    assert store.get(type(record), record.id) == record
    assert store.find(type(record)) == [record]


def test_records_of_all_kinds_are_added_together(store):
    assert store.add(*RECORDS) == len(RECORDS)
    assert store.tables() == {kind.kind: 1 for kind in KINDS}


def test_a_transaction_that_fails_leaves_nothing(store):
    with pytest.raises(NightshiftError, match="cannot be stored"):
        store.add(*RECORDS, correction(reason="\ud800"))
    assert set(store.tables().values()) == {0}


def test_pages_go_back_from_the_newest_and_leave_nothing_out(store):
    records = [correction(environment=name) for name in ("screen", "other", "screen", "screen")]
    store.add(*records)
    first = store.page(Correction, 2, environment="screen")
    assert [record for _, record in first] == [records[3], records[2]]
    second = store.page(Correction, 2, environment="screen", before_seq=first[-1][0])
    assert [record for _, record in second] == [records[0]]
    assert store.page(Correction, 2, environment="screen", before_seq=second[-1][0]) == []


def test_only_records_that_the_store_knows_are_added(store):
    with pytest.raises(TypeError, match="not a kind of record"):
        store.add(Record(id="x"))


def test_the_columns_of_the_tables_are_the_ones_that_can_be_searched(sql):
    for kind in KINDS:
        columns = [row[0] for row in sql(f"DESCRIBE {kind.kind}_event")]
        added = ADDED_LATER.get(kind, [])
        first = [column for column in COLUMNS[kind] if column not in added]
        assert columns == ["seq", "id", "at", *first, "payload", *added]


def test_the_sql_keeps_to_what_ducklake_can_do():
    forbidden = r"\b(PRIMARY KEY|UNIQUE|REFERENCES|CHECK|INDEX|SEQUENCE|DEFAULT|GENERATED|ON CONFLICT|TYPE|MACRO)\b"
    for file in files("core.store").joinpath("migrations").iterdir():
        statements = re.sub(r"--.*", "", file.read_text())
        assert not re.search(forbidden, statements, re.IGNORECASE), file


class TestNumbers:
    """What JSON has no word for."""

    def test_infinities_and_nans_of_a_field_are_kept(self, store):
        nan = next(r for r in RECORDS if isinstance(r, Prediction)).model_copy(update={"confidence": math.nan})
        store.add(nan)
        assert math.isnan(store.get(Prediction, nan.id).confidence)
        assert store.get(Prediction, nan.id).answer_logprobs == (-0.25, -math.inf)

    def test_those_of_a_free_form_result_become_words(self, store):
        store.add(StageResult(id="x", run="r", stage="train", result={"loss": math.nan}, seconds=1))
        assert store.get(StageResult, "x").result == {"loss": "NaN"}


class TestWritingTwice:
    def test_an_id_that_is_there_is_skipped_and_the_first_record_stays(self, store):
        first = correction(answer="on_task")
        assert store.add(first, first) == 1
        assert store.add(first.model_copy(update={"answer": "off_task"}), correction()) == 1
        assert store.get(Correction, first.id) == first
        assert store.count(Correction) == store.head("screen") == 2

    @settings(deadline=None, max_examples=25)
    @given(data=st.data())
    def test_any_way_of_writing_a_set_of_records_leaves_the_same(self, shared_store, data):
        environment = new_id()
        records = [correction(str(n), environment=environment) for n in range(5)]
        batches = data.draw(st.lists(st.lists(st.sampled_from(records), max_size=6), max_size=6))
        new = sum(shared_store.add(*batch) for batch in [*batches, records])
        found = shared_store.find(Correction, environment=environment)
        assert new == len(records)
        assert sorted(found, key=lambda record: record.example) == records

    def test_an_id_that_got_in_twice_is_read_once(self, store, sql):
        record = correction()
        store.add(record, correction())
        sql("INSERT INTO correction_event SELECT * REPLACE (3 AS seq) FROM correction_event WHERE id = ?", record.id)
        assert store.count(Correction) == len(store.find(Correction)) == 2
        assert store.get(Correction, record.id) == record


class TestFinding:
    def test_records_come_in_the_order_in_which_they_were_added(self, store):
        records = [correction(str(n)) for n in (3, 1, 2)]
        for record in records:
            store.add(record)
        assert store.find(Correction) == records
        assert store.find(Correction, newest_first=True) == records[::-1]
        assert store.find(Correction, newest_first=True, limit=1) == records[-1:]
        assert store.find(Correction, after_seq=1) == records[1:]
        assert store.find(Correction, after_seq=1, limit=1) == records[1:2]

    def test_columns_are_compared_with_a_value_with_several_or_with_none(self, store):
        a = correction("a", chosen_by=ChosenBy.RANDOM_AUDIT)
        b = correction("b", prediction="p")
        c = correction("c", environment="other")
        store.add(a, b, c)
        assert store.find(Correction, environment="screen") == [a, b]
        assert store.find(Correction, chosen_by=ChosenBy.RANDOM_AUDIT) == [a]
        assert store.find(Correction, example=["a", "c"]) == [a, c]
        assert store.find(Correction, example=set()) == []
        assert store.find(Correction, environment="screen", prediction=None) == [a]
        assert store.count(Correction, "screen") == 2
        assert store.count(Correction) == 3

    def test_a_text_is_never_read_as_sql(self, store):
        odd = correction("x' OR '1'='1")
        store.add(odd, correction())
        assert store.find(Correction, example=odd.example) == [odd]

    def test_a_column_that_is_not_there_is_named(self, store):
        with pytest.raises(TypeError, match="cannot be searched by 'colour'"):
            store.find(Media, colour="red")

    def test_many_come_in_the_order_asked_for(self, store):
        records = [Example.make("screen", (), str(n)) for n in range(5)]
        store.add(*records)
        wanted = [records[3], records[0], records[3]]
        assert store.get_many(Example, (record.id for record in wanted)) == wanted
        assert store.get_many(Example, []) == []

    def test_one_that_is_missing_is_named(self, store):
        store.add(RECORDS[0])
        with pytest.raises(NightshiftError, match=r"no media 'gone' .*\(and 1 more\)"):
            store.get_many(Media, ["m", "gone", "lost"])
        assert store.get(Media, "gone") is None

    def test_more_than_a_page_comes_whole_and_in_order(self, store):
        records = [correction(str(n)) for n in range(12_000)]
        assert store.add(*records) == len(records)
        assert store.find(Correction) == records
        assert store.get_many(Correction, [r.id for r in records[::-1]]) == records[::-1]

    def test_a_record_of_an_unknown_shape_says_which(self, store, sql):
        store.add(RECORDS[0])
        sql("UPDATE media_event SET payload = '{\"id\": 3}'")
        with pytest.raises(NightshiftError, match="a stored media cannot be read: id"):
            store.find(Media)


def test_the_head_is_the_last_correction_of_the_environment(store):
    assert store.head("screen") == 0
    store.add(correction(), correction(environment="other"))
    assert (store.head("screen"), store.head("other")) == (1, 2)


class TestCheck:
    def test_a_store_whose_records_fit_together_has_no_problem(self, store):
        example = Example.make("screen", (), "?")
        word = correction(example.id)
        store.add(example, word, correction(example.id, retracts=word.id))
        assert store.check() == []

    def test_what_points_nowhere_is_counted(self, store):
        store.add(correction(), correction(), correction(retracts="nothing"))
        assert store.check() == [
            "1 rows retract a correction that is not there",
            "2 rows are corrections of an example that is not there",
        ]
