import multiprocessing
import random
from pathlib import Path

import pytest

from core.schema import Media, content_id
from core.services.clusters import VARIANT_SOURCE, ClusterIndex
from core.services.night.ingest import is_golden
from core.store import Store, open_store

DISTANCE = 6


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(f"duckdb:///{tmp_path}/clusters.duckdb")


def media(name: str, phash: int, source: str | None = None) -> Media:
    return Media(id=content_id(name), blob=name, width=1, height=1, phash=f"{phash:016x}", source=source)


def flipped(phash: int, *bits: int) -> int:
    for bit in bits:
        phash ^= 1 << bit
    return phash


def test_near_duplicates_share_the_cluster_of_the_first(store: Store) -> None:
    first, near, far = media("a", 0), media("b", flipped(0, *range(6))), media("c", flipped(0, *range(20, 27)))
    store.add(first, near, far)
    index = ClusterIndex(store, DISTANCE)
    assert index.cluster(near.id) == index.cluster(first.id) == first.id
    assert index.cluster(far.id) == far.id


def test_a_picture_like_a_near_duplicate_joins_its_cluster(store: Store) -> None:
    chain = [media(name, flipped(0, *range(5 * step))) for step, name in enumerate("abc")]
    store.add(*chain)
    index = ClusterIndex(store, DISTANCE)
    assert {index.cluster(each.id) for each in chain} == {chain[0].id}


def test_an_unknown_picture_is_a_cluster_of_its_own(store: Store) -> None:
    assert ClusterIndex(store, DISTANCE).cluster("nobody") == "nobody"


def test_pictures_that_were_made_are_not_among_those_taken_in(store: Store) -> None:
    first, made = media("a", 0), media("b", 0, source=VARIANT_SOURCE)
    store.add(made, first)
    index = ClusterIndex(store, DISTANCE)
    assert index.known() == {first.id}
    assert index.cluster(first.id) == first.id


def test_pictures_taken_in_later_are_found(store: Store) -> None:
    first, made, later = media("a", 0), media("m", 1, source=VARIANT_SOURCE), media("b", 1)
    store.add(first, made)
    index = ClusterIndex(store, DISTANCE)
    assert index.cluster(first.id) == first.id
    store.add(later)
    assert index.cluster(later.id) == first.id


def test_the_order_of_asking_does_not_matter(store: Store) -> None:
    generator = random.Random(0)
    centres = [generator.getrandbits(64) for _ in range(6)]
    pictures = [media(str(i), flipped(generator.choice(centres), generator.randrange(64))) for i in range(60)]
    store.add(*pictures)
    ids = [each.id for each in pictures]
    straight = {id: ClusterIndex(store, DISTANCE).cluster(id) for id in ids}
    index = ClusterIndex(store, DISTANCE)
    shuffled = {id: index.cluster(id) for id in generator.sample(ids, len(ids))}
    assert shuffled == straight
    assert len(set(straight.values())) == 6


def cluster_of_all(url: str) -> dict[str, str]:
    store = open_store(url)
    index = ClusterIndex(store, DISTANCE)
    return {each.id: index.cluster(each.id) for each in reversed(store.find(Media))}


def test_every_process_finds_the_same_clusters(tmp_path: Path, store: Store) -> None:
    generator = random.Random(1)
    for start in range(0, 30, 10):
        store.add(*(media(str(start + i), generator.getrandbits(3)) for i in range(10)))
    url = f"duckdb:///{tmp_path}/clusters.duckdb"
    here = cluster_of_all(url)
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.apply(cluster_of_all, (url,)) == here


def test_whether_a_cluster_is_golden_never_changes() -> None:
    clusters = [content_id(i) for i in range(2000)]
    golden = {cluster for cluster in clusters if is_golden(cluster, 0.2)}
    assert golden == {cluster for cluster in reversed(clusters) if is_golden(cluster, 0.2)}
    assert sorted(golden)[:2] == [
        "0113b2cf9f738fb49c655f3d8a56b9ac5b55fbdb5518885c53db22a1158d9653",
        "0151d4aa0f0ebb47e556bc85d7fa74d2b0ff605581a723a6a4bd736b6537255e",
    ]


def test_about_the_share_asked_for_is_golden() -> None:
    clusters = [content_id(i) for i in range(4000)]
    for share in (0.0, 0.1, 0.2, 0.5):
        assert sum(is_golden(cluster, share) for cluster in clusters) == pytest.approx(4000 * share, abs=120)


def test_a_larger_share_only_adds_golden_clusters() -> None:
    clusters = [content_id(i) for i in range(500)]
    small, large = ({cluster for cluster in clusters if is_golden(cluster, share)} for share in (0.1, 0.3))
    assert small < large
