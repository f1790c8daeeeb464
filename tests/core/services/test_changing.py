"""Settings that are changed while Nightshift is up."""

import pytest

from core.access import Actor, as_actor, audit_log
from core.schema import NightshiftError, Role
from core.services import Workspace
from core.services.changing import change_setting, next_time, setting_changes, undo_setting_change
from core.settings import load_settings
from core.store import open_store

OWN = '# ours\n[night]\nschedule = "0 3 * * *"  # before the cleaners\n\n[gate]\nalpha = 0.04\n'


@pytest.fixture
def ws(home):
    """A workspace without a champion, which nothing here asks for."""
    (home / "nightshift.toml").write_text(OWN)
    settings = load_settings(home)
    return Workspace(settings, open_store(settings.store_url))


def test_a_change_leaves_everything_else_of_the_file_as_it_was(ws, home):
    change_setting(ws, {"night.schedule": "30 1 * * *", "retention.without_feedback_days": 7.0})
    text = (home / "nightshift.toml").read_text()
    assert "# ours" in text and "# before the cleaners" in text and "alpha = 0.04" in text
    told = load_settings(home)
    assert told.night.schedule == ws.settings.night.schedule == "30 1 * * *"
    assert told.retention.without_feedback_days == 7.0


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("night.schedule", "every night", "no cron line"),
        ("night.schedule", "0 0 2 * * *", "no cron line"),
        ("night.after_corrections", 0, "night.after_corrections"),
        ("retention.without_feedback_days", -1.0, "retention.without_feedback_days"),
        ("judging.base_url", "https://elsewhere.example", "not changed from here"),
        ("console.works", [f"Work {n}." for n in range(60)], "at most 50"),
    ],
)
def test_what_will_not_do_is_refused_and_nothing_is_written(ws, home, key, value, why):
    with pytest.raises(NightshiftError, match=why):
        change_setting(ws, {"night.schedule": "30 1 * * *", key: value})
    assert (home / "nightshift.toml").read_text() == OWN
    assert setting_changes(ws) == [] and list(home.glob(".settings-*")) == []


def test_what_the_environment_decides_is_not_changed_in_vain(ws, home, monkeypatch):
    monkeypatch.setenv("NIGHTSHIFT_NIGHT__SCHEDULE", "0 4 * * *")
    with pytest.raises(NightshiftError, match="NIGHTSHIFT_NIGHT__SCHEDULE"):
        change_setting(ws, {"night.schedule": "30 1 * * *"})
    assert (home / "nightshift.toml").read_text() == OWN


def test_a_change_is_logged_and_taken_back(ws, home):
    with as_actor(Actor("ada", Role.ADMIN, "console")):
        (first,) = change_setting(ws, {"console.works": ["Write the report.", " Write  the report. ", "Plan."]})
        assert ws.settings.console.works == ("Write the report.", "Plan.")
        undo_setting_change(ws, first.id)
    assert ws.settings.console.works == load_settings(home).console.works == ()
    assert [(line.who, line.action) for line in audit_log(ws)] == [
        ("ada", "setting.undone"),
        ("ada", "setting.changed"),
    ]
    with pytest.raises(NightshiftError, match="taken back already"):
        undo_setting_change(ws, first.id)


def test_only_the_newest_change_of_a_setting_can_be_taken_back(ws):
    (first,) = change_setting(ws, {"night.after_corrections": 5})
    change_setting(ws, {"night.after_corrections": 7})
    with pytest.raises(NightshiftError, match="changed again since"):
        undo_setting_change(ws, first.id)


def test_saving_what_stands_there_already_changes_nothing(ws):
    assert change_setting(ws, {"night.schedule": "0 3 * * *"}) == []
    assert setting_changes(ws) == []


def test_a_day_that_never_comes_is_no_schedule():
    with pytest.raises(NightshiftError, match="no cron line"):
        next_time("0 0 31 2 *")
