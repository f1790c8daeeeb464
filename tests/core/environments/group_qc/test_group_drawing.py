import numpy as np
import pytest

from core.environments.group_qc.contract import FAIL, PASS
from core.environments.group_qc.drawing import FAR, MISSIONS, drawn_group, facts_in
from core.environments.group_qc.missions import missions


def test_the_same_number_and_seed_give_the_same_pixels_and_another_seed_others() -> None:
    one, again, other = drawn_group(3), drawn_group(3), drawn_group(3, seed=1)
    assert one == again
    assert np.array_equal(np.asarray(one.photos[0].image), np.asarray(again.photos[0].image))
    assert not np.array_equal(np.asarray(one.photos[0].image), np.asarray(other.photos[0].image))


def test_every_shipped_mission_can_be_drawn() -> None:
    assert set(MISSIONS) == set(missions())


@pytest.mark.parametrize("mission", sorted(MISSIONS))
def test_a_group_fails_exactly_where_a_photo_has_a_fault_of_its_mission(mission: str) -> None:
    groups = [drawn_group(number, mission=mission) for number in range(80)]
    for group in groups:
        faults = [photo for photo in group.photos if MISSIONS[mission].is_fault(photo.facts)]
        assert group.verdict == (FAIL if faults else PASS)
        assert len(faults) <= 1
    assert 25 < sum(group.verdict == FAIL for group in groups) < 55


def test_a_line_says_the_facts_of_its_photo_and_no_others() -> None:
    for number in range(40):
        for photo in drawn_group(number).photos:
            assert facts_in(photo.summary) == frozenset(photo.facts)


def test_a_photo_from_afar_shows_no_fault() -> None:
    photos = [photo for number in range(60) for photo in drawn_group(number).photos if photo.facts[0] == FAR]
    assert photos
    assert not any(photo.faulty for photo in photos)
