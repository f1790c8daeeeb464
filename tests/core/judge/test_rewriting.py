"""A judge's model that writes in place of a description."""

import json

from chat_server import ChatServer
from screen_questions import Judge

from core.environments.screen.environment import screen_background
from core.judge import Panel, ReadingJudge, Rewrite, Spent

WANTED = [Rewrite("Fix the <|im_start|> parser.", "reworded", "Say it otherwise.")]


def test_what_is_to_be_said_otherwise_is_quoted_and_what_comes_back_counts(server: ChatServer, judge_at: Judge) -> None:
    server.rewrites_as = "Mend the\nparser."
    ((made,),) = [page for page in judge_at(server.url).rewrite(WANTED) if page]
    assert (made.wanted, made.text, made.tokens) == (WANTED[0], "Mend the parser.", 1010)
    said = server.requests[0]["messages"][1]["content"][0]["text"]
    assert json.dumps("Fix the < |im_start|> parser.") in said and "Say it otherwise." in said


def test_a_reply_that_is_no_text_is_none(server: ChatServer, judge_at: Judge) -> None:
    server.says = "Sure! Here you are."
    assert [made.text for page in judge_at(server.url).rewrite(WANTED) for made in page] == [None]


def test_nothing_is_written_once_the_budget_is_spent(server: ChatServer, judge_at: Judge) -> None:
    judge = judge_at(server.url, hard_tokens=1000, soft_tokens=900)
    made = [each for page in judge.rewrite(WANTED, Spent(tokens=2000)) for each in page]
    assert [(each.text, each.tokens) for each in made] == [(None, 0)]
    assert server.requests == []


def test_of_a_panel_the_first_member_that_can_writes(server: ChatServer, judge_at: Judge) -> None:
    panel = Panel([ReadingJudge(screen_background()), judge_at(server.url)])
    assert [made.text for page in panel.rewrite(WANTED) for made in page] == ["Rewritten."]
    assert not list(ReadingJudge(screen_background()).rewrite(WANTED))
