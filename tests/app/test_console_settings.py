"""The forms of the Settings page: what two people change at once, and what a page that was open for long may write."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.console.settings import DAYS, NIGHTS, WORKS, _Settings
from core.schema import SettingChange
from core.services import Workspace
from core.settings import load_settings
from core.store import open_store

TOLD, CRON, AFTER, AUDITS, BLIND = 0, "0 2 * * *", 100, "0 5 * * *", 10


@pytest.fixture
def ws(home: Path) -> Workspace:
    """A workspace without a champion, which nothing here asks for."""
    settings = load_settings(home)
    return Workspace(settings, open_store(settings.store_url))


@pytest.fixture
def page(ws: Workspace) -> _Settings:
    return _Settings(ws)


def save_nights(page: _Settings, seen: Any, *, cron: str = CRON, after: int = AFTER) -> str:
    """Saves the card of nights with this typed into it; what the page says."""
    return str(page.save_nights(cron, after, AUDITS, BLIND, seen)[TOLD])


def test_a_card_writes_what_was_typed_and_leaves_alone_what_somebody_else_changed_meanwhile(
    page: _Settings, ws: Workspace
) -> None:
    first = second = page._seen(NIGHTS)
    assert "Saved: night.schedule." in save_nights(page, first, cron="30 1 * * *")
    assert "Saved: night.after_corrections." in save_nights(page, second, after=7)
    assert (ws.settings.night.schedule, ws.settings.night.after_corrections) == ("30 1 * * *", 7)


def test_what_somebody_else_changed_meanwhile_is_not_written_over(page: _Settings, ws: Workspace) -> None:
    first = second = page._seen(NIGHTS)
    save_nights(page, first, cron="30 1 * * *")
    told = save_nights(page, second, cron="0 4 * * *", after=7)
    assert "night.schedule was changed since this page was shown" in told
    assert (ws.settings.night.schedule, ws.settings.night.after_corrections) == ("30 1 * * *", AFTER)
    assert ws.store.count(SettingChange) == 1


def test_each_card_minds_what_was_seen(page: _Settings, ws: Workspace) -> None:
    works, days = page._seen(WORKS), page._seen(DAYS)
    assert "Nothing is new" in page.save_days(ws.settings.retention.without_feedback_days, days)[TOLD]
    assert "Saved" in page.save_works("Plan the move.", works)[TOLD]
    assert "was changed since" in page.save_works("Write the report.", works)[TOLD]
    assert "Saved" in page.save_days(7, days)[TOLD]
    assert "was changed since" in page.save_days(9, days)[TOLD]
    assert (ws.settings.console.works, ws.settings.retention.without_feedback_days) == (("Plan the move.",), 7.0)


@pytest.mark.parametrize("seen", [None, "", "[]", "{", json.dumps({"night.schedule": "30 1 * * *"})])
def test_a_request_that_does_not_say_what_was_seen_changes_nothing(page: _Settings, ws: Workspace, seen: Any) -> None:
    assert "was changed since this page was shown" in save_nights(page, seen, cron="0 4 * * *")
    assert ws.store.count(SettingChange) == 0
