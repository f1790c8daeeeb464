import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.policy.reader.asks import parse_ask, tool_phrases

EXCLUSIONS = (
    "stay off social media",
    "don't open the mail client",
    "don’t open the mail client",
    "videos are off limits",
    "do not browse the shop",
    "the spreadsheet can wait",
    "never mind the chat",
    "avoid games",
    "nothing else",
    "no phone calls",
    "leave the videos alone",
    "meetings come later",
    "skip the quiz",
    "shopping is not part of it",
    "ignore the notifications",
    "close the messenger",
    "music isn't work",
    "games are forbidden",
    "the wiki remains closed",
    "keep out of the news feed",
    "without the calculator",
    "put aside the crossword",
    "postpone the interviews",
    "the gallery must wait",
)
WORKS = (
    "write the thesis chapter",
    "draw the floor plan",
    "compile the release notes",
    "sort the holiday photos",
    "reply to customers",
    "practise the piano piece",
)
DROPPED = {"but", "and", "so", "while", "then", "with", "whereas"}
"Words that only join clauses."


def words(text: str) -> set[str]:
    return set(re.findall(r"[\w’'-]+", text.lower())) - DROPPED


@pytest.mark.parametrize("exclusion", EXCLUSIONS)
def test_an_exclusion_after_the_work_is_told_apart(exclusion: str) -> None:
    ask = parse_ask(f"Translate the manual; {exclusion}.")
    assert (ask.wanted, ask.excluded) == ("Translate the manual", exclusion)


@pytest.mark.parametrize("exclusion", EXCLUSIONS)
def test_an_exclusion_before_the_work_is_told_apart(exclusion: str) -> None:
    ask = parse_ask(f"{exclusion.capitalize()}. Translate the manual.")
    assert (ask.wanted, ask.excluded) == ("Translate the manual", exclusion.capitalize())


@pytest.mark.parametrize("joint", [". ", "; ", ", ", ", but ", " but ", "\n", ": ", "! "])
def test_clauses_may_be_joined_in_any_ordinary_way(joint: str) -> None:
    assert parse_ask(f"Draw the floor plan{joint}no games") == ("Draw the floor plan", "no games")


def test_an_and_before_a_prohibition_ends_the_clause() -> None:
    ask = parse_ask("Reply to customers and do not browse the shop")
    assert ask.wanted == "Reply to customers"
    assert "browse the shop" in ask.excluded


@pytest.mark.parametrize("text", ["No phone calls.", "Nothing but the budget.", "Stay off social media; avoid games"])
def test_a_text_that_only_excludes_is_left_whole(text: str) -> None:
    assert parse_ask(text) == (text, "")


@pytest.mark.parametrize(
    "text",
    [
        "Draw the floor plan, the garden and the garage.",
        "Write about the notable nobility of Norway.",
        "Book the tickets; the concert is in no longer than a week.",
        "Annotate the knots diagram; notify the notary.",
    ],
)
def test_a_text_that_excludes_nothing_is_wanted_whole(text: str) -> None:
    assert parse_ask(text) == (text, "")


@given(st.lists(st.sampled_from(EXCLUSIONS + WORKS), min_size=1, max_size=6), st.sampled_from([". ", "; ", ", "]))
def test_no_word_is_lost_and_none_is_on_both_sides(clauses: list[str], joint: str) -> None:
    text = joint.join(clauses)
    ask = parse_ask(text)
    assert words(ask.wanted) | words(ask.excluded) == words(text)
    if any(clause in WORKS for clause in clauses):
        assert all(clause not in ask.excluded for clause in clauses if clause in WORKS)
        assert all(clause in ask.excluded for clause in clauses if clause in EXCLUSIONS)


@given(st.text(max_size=200))
def test_any_text_is_parsed_without_losing_a_word(text: str) -> None:
    ask = parse_ask(text)
    assert words(text) <= words(ask.wanted) | words(ask.excluded)
    assert bool(ask.wanted) == bool(text.strip())


@given(st.text(max_size=100))
def test_parsing_twice_says_the_same(text: str) -> None:
    assert parse_ask(text) == parse_ask(text)


def test_what_the_work_is_done_in_is_found() -> None:
    assert tool_phrases("Compose the jingle in the sequencer") == ["sequencer"]
    assert tool_phrases("Work out the plan with our planning spreadsheet") == ["planning spreadsheet"]
    assert tool_phrases("Answer the customers") == []
