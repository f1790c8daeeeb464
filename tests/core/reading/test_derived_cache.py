import multiprocessing
from pathlib import Path

import numpy as np
import pytest
from memory_library import reading_of
from PIL import Image

from core.reading import DerivedCache, Reading

MEDIA = "ab" * 32
OTHER = "ac" * 32


@pytest.fixture
def cache(tmp_path: Path) -> DerivedCache:
    return DerivedCache(tmp_path / "cache")


PICTURE = Image.new("RGB", (8, 8))


def never(picture: Image.Image) -> Reading:  # noqa: ARG001
    raise AssertionError("it was made again")


def picture() -> Image.Image:
    return PICTURE


def test_nobody_is_handed_more_than_may_be_kept(tmp_path: Path) -> None:
    first_line = lambda reading, image: reading.model_copy(update={"lines": reading.lines[:1]})  # noqa: E731, ARG005
    cache = DerivedCache(tmp_path / "cache", first_line)
    assert cache.reading(MEDIA, picture, lambda _: reading_of(["Inbox", "Dear diary"])).text == "Inbox"
    assert "diary" not in "".join(path.read_text() for path in cache.root.rglob("*.json"))


def test_a_reading_is_made_once_and_kept(cache: DerivedCache) -> None:
    made = cache.reading(MEDIA, picture, lambda _: reading_of(["Hello"]))
    assert cache.reading(MEDIA, picture, never) == made
    assert DerivedCache(cache.root).reading(MEDIA, picture, never) == made


@pytest.mark.parametrize("damage", [b"", b"{", b'{"width": 1}', b"\xff\x00"])
def test_a_damaged_reading_is_made_again(cache: DerivedCache, damage: bytes) -> None:
    cache.reading(MEDIA, picture, lambda _: reading_of(["Before"]))
    (entry,) = cache.root.rglob(f"{MEDIA}*.json")
    entry.write_bytes(damage)
    assert cache.reading(MEDIA, picture, lambda _: reading_of(["After"])).text == "After"
    assert cache.reading(MEDIA, picture, never).text == "After"


@pytest.mark.parametrize("damage", [b"", b"\x10\x00\x00\x00\x00\x00\x00\x00{", b"not an array"])
def test_damaged_arrays_are_made_again(cache: DerivedCache, damage: bytes) -> None:
    ones, twos = np.ones((2, 3), dtype=np.float32), np.full(4, 2, dtype=np.float32)
    cache.arrays(MEDIA, "vectors", lambda: {"x": ones})
    (entry,) = cache.root.rglob(f"{MEDIA}*.safetensors")
    entry.write_bytes(damage)
    np.testing.assert_array_equal(cache.arrays(MEDIA, "vectors", lambda: {"x": twos})["x"], twos)
    np.testing.assert_array_equal(cache.arrays(MEDIA, "vectors", never)["x"], twos)  # type: ignore[arg-type]


def test_arrays_of_another_name_are_other_arrays(cache: DerivedCache) -> None:
    cache.arrays(MEDIA, "one", lambda: {"x": np.zeros(1, dtype=np.float32)})
    other = cache.arrays(MEDIA, "two", lambda: {"x": np.ones(1, dtype=np.float32)})
    np.testing.assert_array_equal(other["x"], [1])


def test_nothing_is_left_of_an_entry_whose_making_failed(cache: DerivedCache) -> None:
    with pytest.raises(AssertionError):
        cache.reading(MEDIA, picture, never)
    assert [path for path in cache.root.rglob("*") if path.is_file()] == []


def test_forgetting_a_picture_leaves_nothing_of_it_and_the_others_alone(cache: DerivedCache) -> None:
    for media in (MEDIA, OTHER):
        cache.reading(media, picture, lambda _: reading_of(["Hello"]))
        cache.arrays(media, "vectors", lambda: {"x": np.zeros(1, dtype=np.float32)})
    cache.forget(MEDIA)
    assert list(cache.root.rglob(f"{MEDIA}*")) == []
    assert len(list(cache.root.rglob(f"{OTHER}*"))) == 2
    cache.forget(MEDIA)


def fill(root: Path, number: int) -> int:
    cache = DerivedCache(root)
    for turn in range(60):
        reading = cache.reading(MEDIA, picture, lambda _: reading_of([f"writer {number} " * 200]))
        assert len(set(reading.text.split())) == 2
        if turn % 7 == number:
            cache.forget(MEDIA)
    return len(list(cache.root.rglob(".making-*")))


def test_processes_that_write_and_forget_one_entry_never_see_half_of_it(cache: DerivedCache) -> None:
    with multiprocessing.get_context("fork").Pool(4) as pool:
        pool.starmap(fill, [(cache.root, number) for number in range(4)])
    assert list(cache.root.rglob(".making-*")) == []
