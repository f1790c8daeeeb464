from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st
from store_records import correction

from core.schema import CANNOT_TELL, ChosenBy, Correction, new_id


def answers(labels):
    return {label.example: label.answer for label in labels}


def test_the_last_word_stands(store):
    store.add(correction("a", "on_task"), correction("b", "on_task"), correction("a", "off_task"))
    assert answers(store.labels("screen")) == {"a": "off_task", "b": "on_task"}
    assert [label.example for label in store.labels("screen")] == ["b", "a"]


def test_a_word_that_is_taken_back_gives_way_to_the_one_before(store):
    words = [correction("a", "on_task"), correction("a", "off_task")]
    store.add(*words, correction("a", retracts=words[1].id))
    assert answers(store.labels("screen")) == {"a": "on_task"}
    store.add(correction("a", retracts=words[0].id))
    assert store.labels("screen") == []


def test_a_retraction_is_not_a_word_and_cannot_be_taken_back(store):
    word = correction("a", "on_task")
    undo = correction("a", "off_task", retracts=word.id)
    store.add(word, undo, correction("a", retracts=undo.id))
    assert store.labels("screen") == []


def test_cannot_tell_is_a_word(store):
    store.add(correction("a", "on_task"), correction("a", CANNOT_TELL))
    assert answers(store.labels("screen")) == {"a": CANNOT_TELL}


def test_a_label_says_who_said_it_and_how_it_was_chosen(store):
    word = correction(
        "a", prediction="p", reviewer="Ann", reason="a game", chosen_by=ChosenBy.REVIEW_QUEUE, chosen_probability=0.25
    )
    store.add(word)
    (label,) = store.labels("screen")
    assert label.model_dump() == {
        **word.model_dump(exclude={"id", "retracts"}),
        "correction": word.id,
        "seq": 1,
    }


def test_a_snapshot_stays_as_it_was(store):
    words = [correction("a", "on_task"), correction("a", "off_task"), correction("b", "on_task")]
    store.add(*words)
    head = store.head("screen")
    before = store.labels("screen", upto_seq=head)
    store.add(correction("a", retracts=words[1].id), correction("b", "off_task"), correction("c"))
    assert store.labels("screen", upto_seq=head) == before
    assert answers(store.labels("screen", after_seq=head)) == {"b": "off_task", "c": "on_task"}


def test_of_some_examples_alone_the_same_stands(store):
    words = [correction(name, reviewer=who) for name in "abc" for who in ("ann", "ben")]
    store.add(*words, correction("b", retracts=words[3].id), correction("a", CANNOT_TELL))
    for examples in ([], ["a"], ["b", "c"], ["d"]):
        for upto in (4, 8):
            for told in (store.labels, store.voices):
                everything = told("screen", upto_seq=upto)
                alone = told("screen", upto_seq=upto, examples=examples)
                assert alone == [label for label in everything if label.example in examples]


@dataclass
class Said:
    """What happened to a few examples, and what should stand: the law, spelled out in Python."""

    records: list[Correction]

    def standing(self, upto):
        happened = self.records[:upto]
        taken_back = {record.retracts for record in happened if record.retracts}
        labels = {}
        for record in happened:
            if record.retracts is None and record.id not in taken_back:
                labels.pop(record.example, None)
                labels[record.example] = record.answer
        return list(labels.items())


@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_the_last_word_not_taken_back_wins_whatever_the_order_of_retractions(shared_store, data):
    environment = new_id()
    words = [
        correction(data.draw(st.sampled_from("abc")), answer, environment)
        for answer in data.draw(st.lists(st.sampled_from(["on_task", "off_task", CANNOT_TELL]), max_size=8))
    ]
    retracted = data.draw(st.lists(st.sampled_from(words), max_size=5)) if words else []
    retractions = [correction(word.example, "-", environment, retracts=word.id) for word in retracted]
    said = Said(data.draw(st.permutations(words + retractions)))
    base = shared_store.count(Correction)
    shared_store.add(*said.records)

    def found(**bounds):
        return [(label.example, label.answer) for label in shared_store.labels(environment, **bounds)]

    assert found() == said.standing(len(said.records))
    for upto in range(len(said.records) + 1):
        assert found(upto_seq=base + upto) == said.standing(upto)


def test_the_view_for_people_agrees(store, sql):
    words = [correction("a"), correction("a", "off_task"), correction("b"), correction("b", environment="other")]
    store.add(*words, correction("a", retracts=words[1].id))
    rows = sql("SELECT seq, id FROM labels WHERE environment = 'screen' ORDER BY seq")
    assert rows == [(label.seq, label.correction) for label in store.labels("screen")]
