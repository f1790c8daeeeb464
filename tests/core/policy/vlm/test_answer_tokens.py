from collections.abc import Callable

import pytest

from core.policy.vlm.policy import VlmPolicy
from core.schema import NightshiftError


def test_words_that_begin_differently_are_told_apart_by_their_first_token(worded: Callable[..., VlmPolicy]) -> None:
    assert worded("on_task", "off_task").answer_tokens.tokens_KT.shape == (2, 1)


def test_words_that_begin_alike_are_scored_whole(worded: Callable[..., VlmPolicy]) -> None:
    tokens = worded("task off", "task on").answer_tokens
    assert not tokens.first_decides
    assert tokens.mask_KT.any(dim=0).all()


@pytest.mark.parametrize("words", [("yes", "yes"), ("no", "no way"), ("yes sir", "yes")])
def test_answers_of_which_one_begins_the_other_collide(
    worded: Callable[..., VlmPolicy], words: tuple[str, str]
) -> None:
    with pytest.raises(NightshiftError, match=f"{words[0]!r} and {words[1]!r} collide|{words[1]!r} and {words[0]!r}"):
        worded(*words)


def test_a_control_token_is_no_answer(student: VlmPolicy, worded: Callable[..., VlmPolicy]) -> None:
    picture = student._processor.image_token
    with pytest.raises(NightshiftError, match="control token"):
        worded(picture, "no")


def test_an_answer_needs_a_word(worded: Callable[..., VlmPolicy]) -> None:
    with pytest.raises(NightshiftError, match="is empty"):
        worded("", "no")
