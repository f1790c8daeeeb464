"""Erasing takes rows away for good: out of every view, out of the file, and nobody brings them back by being late."""

import threading
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen

import pytest
from store_records import correction, one_of_each

from core.access import entry
from core.schema import (
    AuditEntry,
    Correction,
    Erasure,
    Example,
    Judgment,
    Media,
    Prediction,
    Tombstone,
    content_id,
    new_id,
)
from core.store import LeaseLost, Store, erasing
from core.store.duckdb_file import DuckDBFile
from core.store.engine import Connection


def media(name: str) -> Media:
    blob = content_id("blob", name)
    return Media(
        id=content_id(name), blob=f"{blob[:2]}/{blob}.png", width=9, height=9, phash="0" * 16, source=f"{name}.png"
    )


def example(picture: Media) -> Example:
    return Example.make("screen", (picture.id,), "Do the work.", answers=("on_task", "off_task"), cluster=picture.id)


def prediction(about: Example) -> Prediction:
    return Prediction(
        id=new_id(), environment="screen", example=about.id, answer="on_task", probability=0.6, confidence=0.6,
        release="r", latency_ms=1.0,
    )  # fmt: skip


def tombstones(picture: Media, about: Example) -> list[Tombstone]:
    erasure = Erasure(id=new_id(), asked="screen", reason="asked for", by="officer")
    return [Tombstone.make(erasure, "media", picture.id), Tombstone.make(erasure, "example", about.id, picture.id)]


@pytest.fixture
def secret() -> Media:
    return media("secretname")


def test_what_is_erased_is_in_no_view_and_the_rest_is_as_it_was(store: Store, secret: Media) -> None:
    kept, gone = media("kept"), example(secret)
    store.add(secret, kept, gone, correction(gone.id), correction("other"))

    assert store.erase(
        {Media: {"id": {secret.id}}, Example: {"id": {gone.id}}, Correction: {"example": [gone.id]}}
    ) == {
        "media": 1,
        "example": 1,
        "correction": 1,
    }
    assert store.find(Media) == [kept]
    assert store.find(Example) == []
    assert [word.example for word in store.find(Correction)] == ["other"]
    assert store.mentions({secret.id, gone.id}, {("source", "secretname.png")}) == {}


def test_a_number_that_was_given_out_is_not_given_out_again(store: Store) -> None:
    words = [correction("a"), correction("b"), correction("c")]
    store.add(*words)
    store.erase({Correction: {"id": [words[1].id, words[2].id]}})

    store.add(correction("d"))
    assert [(label.example, label.seq) for label in store.labels("screen")] == [("a", 1), ("d", 4)]
    store.erase({Correction: {"example": {"d"}}})
    store.add(correction("e"))
    assert [seq for seq, _ in store.numbered(Correction)] == [1, 5]


def test_erasing_rewrites_and_appends_in_the_same_transaction(store: Store, secret: Media) -> None:
    open_one = Erasure(id=new_id(), asked="screen", reason="asked for", by="officer", media=(secret.id,))
    store.add(secret, open_one)
    stone = Tombstone.make(open_one, "media", secret.id)
    done = open_one.model_copy(update={"media": (), "done_at": open_one.at})

    store.erase({Media: {"id": [secret.id]}}, replaced=[done], added=[stone])
    assert store.find(Erasure) == [done] and store.find(Erasure, done_at=None) == []
    assert store.find(Tombstone, content=secret.id) == [stone]


def test_nothing_is_erased_without_the_lease(store: Store, secret: Media) -> None:
    store.add(secret)
    with store.lease("night/screen", "a", 10) as lease:
        token = lease.token
    with pytest.raises(LeaseLost):
        store.erase({Media: {"id": [secret.id]}}, lease="night/screen", token=token)
    assert store.count(Media) == 1


def test_who_was_at_work_on_what_was_erased_comes_too_late(store: Store, secret: Media) -> None:
    about = example(secret)
    store.add(secret, about)
    store.erase({Media: {"id": [secret.id]}, Example: {"id": [about.id]}}, added=tombstones(secret, about))

    assert store.add(about, prediction(about)) == 0
    assert store.add(correction(about.id)) == 0
    late = Judgment(id="j", environment="screen", example=about.id, judge="x", prompt_version="1")
    elsewhere = late.model_copy(update={"id": "k", "example": "an example of a folder"})
    assert store.add_unless_erased(late, elsewhere) == {late.id}
    assert store.find(Judgment) == [elsewhere]


def test_nothing_is_told_of_a_word_that_comes_too_late(store: Store, secret: Media) -> None:
    gone = example(secret)
    store.add(secret, gone)
    erased = {Media: {"id": {secret.id}}, Example: {"id": {gone.id}}}
    store.erase(erased, added=tombstones(secret, gone))
    assert store.add(correction(gone.id), entry("correction.given", "late")) == 0
    assert store.add(correction("other"), entry("correction.given", "in time")) == 2
    assert [line.subject for line in store.find(AuditEntry)] == ["in time"]


def test_what_is_taken_in_again_is_new(store: Store, secret: Media) -> None:
    about = example(secret)
    store.add(secret, about)
    store.erase({Media: {"id": [secret.id]}, Example: {"id": [about.id]}}, added=tombstones(secret, about))

    assert store.add(secret) == 1
    assert store.add(about, prediction(about)) == 2
    assert store.add(correction(about.id)) == 1


def test_a_search_lets_others_in_and_misses_nothing(
    store: Store, secret: Media, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = example(secret)
    words = [correction(about.id if number % 3 == 0 else "other") for number in range(30)]
    store.add(secret, about, *words)
    store.erase({Correction: {"id": [word.id for word in words[4:17]]}})
    naming = [word for word in words if word.example == about.id and word not in words[4:17]]
    monkeypatch.setattr(erasing, "FIRST_PAGE", 2)
    monkeypatch.setattr(erasing, "HELD_S", 1e-9)
    looks, look = [], erasing.Search.go_on

    def counted(search: erasing.Search, connection: Connection) -> bool:
        looks.append(search)
        return look(search, connection)

    monkeypatch.setattr(erasing.Search, "go_on", counted)
    assert store.naming(Correction, {about.id}) == naming
    assert len(looks) >= 15, "of two rows at most"
    assert store.mentions({about.id}) == {"correction": len(naming), "example": 1}


def test_a_cluster_may_bear_the_name_of_what_was_erased(store: Store, secret: Media) -> None:
    near = example(media("near")).model_copy(update={"cluster": secret.id})
    store.add(near)
    assert store.mentions({secret.id}) == {}
    assert store.naming(Example, set(near.media)) == [near]


def test_fields_are_found_by_their_whole_value(store: Store) -> None:
    store.add(correction("a", reviewer='Ann "A." Émile'), correction("b", reviewer="Ann"))
    assert [word.example for word in store.naming(Correction, (), {("reviewer", "Ann")})] == ["b"]
    assert [word.example for word in store.naming(Correction, (), {("reviewer", 'Ann "A." Émile')})] == ["a"]


def test_erased_rows_lie_in_the_file_until_it_is_written_anew(store: Store, file: Path) -> None:
    pictures = [media(f"secretname-{number}") for number in range(2000)]
    others = [media(f"kept-{number}") for number in range(2000)]
    store.add(*pictures, *others)
    store.erase({Media: {"id": [each.id for each in pictures]}})
    before = file.stat().st_size

    assert store.compact()
    assert file.stat().st_size < 0.8 * before
    assert b"secretname" not in file.read_bytes()
    assert store.find(Media) == others and store.check() == []
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_every_kind_survives_being_written_anew(store: Store) -> None:
    records = one_of_each()
    store.add(*records)
    before = {type(record): store.numbered(type(record)) for record in records}
    store.compact()
    assert {kind: store.numbered(kind) for kind in before} == before
    with store.lease("night/screen", "a", 10) as lease:
        store.check_token("night/screen", lease.token)


@pytest.mark.parametrize("each", [12, pytest.param(40, marks=pytest.mark.soak)])
def test_nothing_that_others_write_meanwhile_is_lost(
    store: Store, url: str, process: Callable[..., Popen[str]], each: int
) -> None:
    writers = [process("write_corrections", url, number, each) for number in (1, 2)]
    rounds, over = 0, threading.Event()

    def write() -> None:
        for number in range(each):
            store.add(correction(f"here-{number}"))
        over.set()

    here = threading.Thread(target=write)
    here.start()
    while not over.is_set() or any(writer.poll() is None for writer in writers):
        store.compact()
        rounds += 1
    here.join()
    assert [writer.wait(60) for writer in writers] == [0, 0], [writer.communicate()[1] for writer in writers]
    assert rounds > 0
    assert store.count(Correction) == 3 * each


def test_a_file_that_was_put_aside_while_it_was_opened_is_not_written_to(
    store: Store, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if another process had written the file anew between the look at it and the lock on it."""
    from core.store import duckdb_file

    seen = iter([(1, 1), (1, 2)])
    real = duckdb_file._file_of
    monkeypatch.setattr(duckdb_file, "_file_of", lambda path: next(seen, None) or real(path))
    assert store.add(correction("a")) == 1
    assert next(seen, None) is None
    assert store.count(Correction) == 1
    assert DuckDBFile(file).exists()
