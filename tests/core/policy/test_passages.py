"""Passages hold every line once, and a change on the screen leaves those of other bands as they are."""

from hypothesis import given
from hypothesis import strategies as st

from core.policy.reader.matching import BANDS, CHUNK_LINES, passages
from core.reading import Line

TOPS = st.lists(st.integers(0, 97), max_size=60)


def line(number: int, top: int) -> Line:
    return Line(text=f"line{number}", box=(0.1, top / 100, 0.9, top / 100 + 0.02), score=1.0)


def band(each: Line) -> int:
    return int((each.box[1] + each.box[3]) / 2 * BANDS)


@given(TOPS)
def test_every_line_stands_in_one_passage_of_bounded_length(tops: list[int]) -> None:
    lines = [line(number, top) for number, top in enumerate(sorted(tops))]
    found = [passage.split() for passage in passages(lines)]
    assert [text for passage in found for text in passage] == [each.text for each in lines]
    assert all(1 <= len(passage) <= CHUNK_LINES for passage in found)


@given(TOPS, st.integers(0, 97))
def test_a_new_line_changes_no_passage_of_another_band(tops: list[int], top: int) -> None:
    before = [line(number, each) for number, each in enumerate(sorted(tops))]
    new = Line(text="new", box=line(0, top).box, score=1.0)
    after = sorted([*before, new], key=lambda each: each.box[1])
    elsewhere = passages([each for each in before if band(each) != band(new)])
    assert [passage for passage in passages(before) if passage in elsewhere] == elsewhere
    assert [passage for passage in passages(after) if passage in elsewhere] == elsewhere
