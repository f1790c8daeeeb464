from random import Random

import pytest
from labelled_folder import Pair

from core.access import audit_log, entry
from core.schema import CANNOT_TELL, ChosenBy, Correction, DatasetVersion, Example, Label, NightshiftError, new_id, now
from core.services import Classifier, Workspace, classify, correct, disputes, night, review_queue, settle
from core.services.disputes import disputed, known_disputes, undisputed
from core.services.erasing import Wanted, forget
from core.services.night.ingest import Snapshot, snapshot
from core.services.night.refresh import difference

ON, OFF = "on_task", "off_task"


def example(ask: str, picture: str, cluster: str = "one") -> Example:
    return Example.make("screen", (picture,), ask, answers=(ON, OFF), cluster=cluster)


def label(about: Example, answer: str, reviewer: str = "ann", chosen_by: ChosenBy = ChosenBy.VOLUNTEERED) -> Label:
    return Label(
        environment="screen", example=about.id, answer=answer, correction=f"{about.id}{reviewer}", prediction=None,
        reviewer=reviewer, chosen_by=chosen_by, chosen_probability=None, reason=None, seq=1, at=now(),
    )  # fmt: skip


def found(examples: list[Example], labels: list[Label], voices: list[Label] = ()) -> set[str]:
    return disputed(labels, {each.id: each for each in examples}, voices)


def test_people_who_differ_about_an_example_are_a_dispute_and_one_who_changed_their_mind_is_not() -> None:
    one = example("Write.", "a")
    voices = [label(one, ON, "ann"), label(one, OFF, "ben")]
    assert found([one], voices[1:], voices) == {one.id}
    assert found([one], voices[1:], voices[1:]) == set()
    unsure = [label(one, CANNOT_TELL, "ann"), label(one, OFF, "ben")]
    assert found([one], unsure[1:], unsure) == set()


def test_a_word_said_to_settle_ends_it_until_somebody_contradicts_that() -> None:
    one = example("Write.", "a")
    ann, ben = label(one, ON, "ann"), label(one, OFF, "ben")
    cleo = label(one, ON, "cleo", ChosenBy.DISPUTE)
    assert found([one], [cleo], [ann, ben, cleo]) == set()
    assert found([one], [ben], [ann, cleo, ben]) == {one.id}


def test_an_imported_label_gives_way_to_a_person() -> None:
    one = example("Write.", "a")
    imported, ann = label(one, ON, "import", ChosenBy.IMPORT), label(one, OFF, "ann")
    assert found([one], [ann], [imported, ann]) == set()


def test_near_duplicates_that_are_asked_the_same_and_answered_otherwise_are_a_dispute() -> None:
    one, near = example("Write the report.", "a"), example(" write  the report.", "b")
    other_ask, far = example("Read.", "c"), example("Write the report.", "d", cluster="two")
    examples = [one, near, other_ask, far]
    labels = [label(one, ON), label(near, OFF), label(other_ask, OFF), label(far, OFF)]
    assert found(examples, labels) == {one.id, near.id}
    settled = label(one, ON, chosen_by=ChosenBy.DISPUTE)
    assert found(examples, [settled, *labels[1:]]) == {near.id}
    both = label(near, OFF, chosen_by=ChosenBy.DISPUTE)
    assert found(examples, [settled, both, *labels[2:]]) == set()


@pytest.fixture
def contested(ws: Workspace, pairs: list[Pair]) -> str:
    """A verdict that two people answer differently; beside it some labels that nobody contests."""
    classifier = Classifier.of_champion(ws, "screen")
    for pair in pairs[1:4]:
        correct(ws, classify(ws, classifier, pair.data, pair.ask).id, pair.label, reviewer="ann")
    said = classify(ws, classifier, pairs[0].data, pairs[0].ask)
    correct(ws, said.id, ON, reviewer="ann")
    correct(ws, said.id, OFF, reviewer="ben")
    return said.example


def known(ws: Workspace):
    return snapshot(ws, night.begin(ws, "screen", seed=0))


def test_a_dispute_is_kept_out_of_the_night_and_out_of_its_version_until_settled(ws: Workspace, contested: str) -> None:
    open_ones = known(ws)
    assert [each.example for each in open_ones.disputed] == [contested]
    assert contested not in {each.example for each in (*open_ones.train, *open_ones.golden)}
    assert not [entry for entries in open_ones.version.items.values() for entry in entries if contested in entry]
    assert contested not in {label.example for label in undisputed(ws, "screen")}
    (dispute,) = disputes(ws, "screen")
    assert [(word.reviewer, word.answer) for word in dispute.words] == [("ann", ON), ("ben", OFF)]

    settle(ws, "screen", contested, ON, reviewer="cleo")
    assert disputes(ws, "screen") == []
    night.abandon(ws, night.begin(ws, "screen", seed=0), "to look again")
    assert contested in {each.example for each in known(ws).labels}
    with pytest.raises(NightshiftError, match="nothing to settle"):
        settle(ws, "screen", contested, OFF, reviewer="cleo")


def test_settling_is_a_line_of_the_audit_log(ws: Workspace, contested: str) -> None:
    word = settle(ws, "screen", contested, ON)
    (line,) = [each for each in audit_log(ws) if each.id == entry("correction.given", once=word.id).id]
    assert (line.who, word.reviewer, word.chosen_by) == ("local", "local", ChosenBy.DISPUTE)


def test_what_was_said_is_not_remembered_once_it_is_erased(ws: Workspace, contested: str) -> None:
    assert set(known_disputes(ws, "screen")) == {contested}
    forget(ws, Wanted(reviewer="ann"))
    assert known_disputes(ws, "screen") == {}


def test_a_night_that_an_older_version_began_keeps_what_it_had(ws: Workspace, contested: str) -> None:
    run = night.begin(ws, "screen", seed=0)
    older = run.model_copy(update={"config": {key: value for key, value in run.config.items() if key != "replay"}})
    assert contested in {each.example for each in snapshot(ws, older).labels}
    assert isinstance(snapshot(ws, older).version, DatasetVersion)


def test_disputes_lead_the_review_queue_and_an_answer_there_settles_them(ws: Workspace, contested: str) -> None:
    first = review_queue(ws, "screen")[0]
    assert (first.example.id, first.chosen_by, first.blind) == (contested, ChosenBy.DISPUTE, False)
    assert first.dispute is not None and len(first.dispute.words) == 2
    correct(ws, first.prediction.id, OFF, reviewer="cleo", chosen_by=first.chosen_by)
    assert disputes(ws, "screen") == []
    assert not [item for item in review_queue(ws, "screen") if item.chosen_by is ChosenBy.DISPUTE]


def test_a_dispute_is_over_where_one_of_its_words_was_erased_though_others_were_said_since(
    ws: Workspace, pairs: list[Pair], contested: str
) -> None:
    correct(ws, classify(ws, Classifier.of_champion(ws, "screen"), pairs[5].data, "Read.").id, ON, reviewer="ann")
    assert set(known_disputes(ws, "screen")) == {contested}
    forget(ws, Wanted(reviewer="ben"))
    assert known_disputes(ws, "screen") == {}


def words_of(generator: Random, examples: list[Example], number: int) -> list[Correction]:
    """What three people and an import may say, of examples of which some are asked alike; a fifth is taken back."""
    words: list[Correction] = []
    for _ in range(number):
        if words and generator.random() < 0.2:
            word = generator.choice(words)
            words.append(word.model_copy(update={"id": new_id(), "retracts": word.id}))
            continue
        reviewer = generator.choice(("ann", "ben", "cleo", "import"))
        how = (
            ChosenBy.IMPORT
            if reviewer == "import"
            else generator.choices((ChosenBy.VOLUNTEERED, ChosenBy.DISPUTE), (5, 1))[0]
        )
        answer = generator.choices((ON, OFF, CANNOT_TELL), (5, 3, 1))[0]
        about = generator.choice(examples).id
        words.append(
            Correction(
                id=new_id(), environment="screen", example=about, answer=answer, reviewer=reviewer, chosen_by=how
            )
        )
    return words


EXAMPLES = [
    example(ask, f"{cluster}{number}", cluster)
    for cluster in ("one", "two", "three", "")
    for number, ask in enumerate(("Write.", " write. ", "Read."))
]


@pytest.mark.parametrize("seed", range(2))
def test_what_is_known_of_disputes_after_each_word_is_what_all_words_together_say(ws: Workspace, seed: int) -> None:
    ws.store.add(*EXAMPLES)
    seen = 0
    for word in words_of(Random(seed), EXAMPLES, 30):
        ws.store.add(word)
        found = disputes(ws, "screen")
        assert list(known_disputes(ws, "screen").values()) == found
        seen += len(found)
    assert seen


@pytest.mark.parametrize("seed", range(2))
def test_what_words_change_for_a_training_is_what_two_whole_snapshots_differ_in(ws: Workspace, seed: int) -> None:
    generator = Random(seed)
    ws.store.add(*EXAMPLES, *words_of(generator, EXAMPLES, 40))
    run = night.begin(ws, "screen", seed=0)
    entered = 0
    for _ in range(8):
        before, upto = sorted(generator.sample(range(1, 41), 2))
        then, later = Snapshot(ws, run, before), Snapshot(ws, run, upto)
        said = {each.example: each.answer for each in then.train}
        unsure = [{each.example for each in (*known.cannot_tell, *known.disputed)} for known in (then, later)]
        found = difference(ws, run, before, upto)
        assert found.entering == [each for each in later.train if said.get(each.example) != each.answer]
        assert set(found.lost) == said.keys() - {each.example for each in later.train}
        assert set(found.unsure) == unsure[1] - unsure[0]
        entered += len(found.entering)
    assert entered
