from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from core.evaluation import decide, render_report, render_summary
from core.schema import Run, StageResult

AT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
VOID = {"meta", "br", "line", "circle", "rect"}


class Page(HTMLParser):
    """Tags that are left open, addresses that are loaded, and the text."""

    def __init__(self, page):
        super().__init__()
        self.open, self.tags, self.loaded, self.text = [], [], [], ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.loaded += [value for name, value in attrs if name in ("src", "href", "action")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def night(evaluations, rows, settings, sound):
    """What both renderings take, for rows (by default a night that promoted)."""

    def made(scored=None):
        if scored is None:
            scored = rows(fixes=14, breaks=3, right=90, domain="music") + rows(right=90, wrong=17)
        champion, challenger = evaluations(scored, latency=(10.0, 11.0))
        decision = decide(champion, challenger, settings=settings, run="r", integrity=sound, at=AT)
        run = Run(id="r", environment="screen", seed=3, at=AT, versions={"torch": "2.13.0"})
        stages = [
            StageResult(id="1", run="r", stage="ingest", result={"corrections": 50, "ids": ["x"]}, seconds=1.25, at=AT),
            StageResult(id="2", run="r", stage="train", result={"steps": 150, "loss": 0.4123}, seconds=312.4, at=AT),
        ]
        return run, decision, champion, challenger, stages

    return made


def test_the_page_is_whole_and_loads_nothing_from_elsewhere(night):
    arguments = night()
    page = Page(render_report(*arguments))
    assert page.open == []
    assert page.loaded == []
    assert not {"script", "link", "img", "iframe"} & set(page.tags)


@pytest.mark.parametrize("render", [render_report, render_summary])
def test_it_says_what_was_decided_why_and_what_it_cost(night, render):
    arguments = night()
    told = render(*arguments)
    for expected in (
        "The challenger beat the champion",
        "mends 14 and breaks 3 of 214",
        "5 min 12 s",
        "corrections 50",
    ):
        assert expected in told


@pytest.mark.parametrize("render", [render_report, render_summary])
def test_every_gate_is_listed_with_passed_failed_or_not_assessable(night, rows, render):
    lost = rows(breaks=12, right=20, expected="off_task", domain="few") + rows(right=3, domain="tiny")
    arguments = night(rows(fixes=40, right=100) + lost)
    told = render(*arguments)
    assert "failed" in told
    assert "not assessable" in told
    assert "shown" in told
    assert "The challenger was refused" in told


def test_an_undecided_night_says_how_many_more_examples_would_settle_it(night, rows):
    arguments = night(rows(fixes=6, breaks=2, right=72))
    page = Page(render_report(*arguments))
    assert "more would settle it, about" in page.text
    assert "not shown" in page.text


def test_changed_verdicts_are_listed_with_breaks_first_and_in_words(night, rows):
    arguments = night(rows(fixes=1, right=20) + rows(breaks=1))
    text = Page(render_report(*arguments, describe={"example 0021": "a music player"})).text
    assert text.index("a music player") < text.index("example 0000"[:12])
    assert "Verdicts that changed (2)" in text


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", "</style><img src=x onerror=y>", '"><svg onload=z>'])
def test_text_from_data_is_shown_as_text(night, rows, hostile):
    scored = rows(fixes=12, right=40, domain=hostile, expected=hostile)
    arguments = night(scored)
    run, *rest = arguments
    named = run.model_copy(update={"environment": hostile, "versions": {hostile: hostile}})
    page = Page(render_report(named, *rest, describe={"example 0000": hostile}))
    assert not {"script", "img"} & set(page.tags)
    assert set(page.tags) >= {"svg"}
    assert hostile in page.text
    summary = render_summary(named, *rest, describe={"example 0000": hostile})
    assert "<script" not in summary.replace("\\<", "")


def test_a_night_without_evidence_still_has_a_page(night):
    arguments = night([])
    assert "No evidence" in render_report(*arguments)
    assert "No evidence" in render_summary(*arguments)


def test_real_valued_scores_are_not_called_right(night):
    arguments = night([(0.3, 0.3 + 0.01 * (i % 3), {"expected": None}) for i in range(30)])
    text = Page(render_report(*arguments)).text
    assert "mean score" in text
    assert "champion right" not in text


def test_many_changes_are_cut_off_with_a_word(night, rows):
    arguments = night(rows(fixes=250, right=20))
    assert "And 50 more." in render_report(*arguments)
    assert "and 230 more" in render_summary(*arguments)


def test_the_same_night_gives_the_same_page(night):
    assert render_report(*night()) == render_report(*night())
