"""Settings that people change while Nightshift is up: each change is checked, logged, and can be taken back."""

from collections.abc import Sequence
from datetime import datetime

from cronsim import CronSim
from pydantic import BaseModel, ConfigDict, JsonValue

from core.access import acting, entry
from core.schema import Correction, Example, NightshiftError, Prediction, SettingChange, new_id, now
from core.services.workspace import Workspace
from core.settings import Changes, change_settings, cron_line, value_of

__all__ = [
    "Reviewer",
    "change_setting",
    "next_time",
    "recent_works",
    "reviewers",
    "setting_changes",
    "undo_setting_change",
]

CHANGEABLE = (
    "night.schedule",
    "night.after_corrections",
    "audits.schedule",
    "review.audits_per_night",
    "retention.without_feedback_days",
    "console.works",
)
"What may be changed from within. All else needs whoever can edit the file: it decides what leaves this machine."
RECENT = 500


class Reviewer(BaseModel):
    """Somebody who said something, and how much."""

    model_config = ConfigDict(frozen=True)
    name: str
    words: int
    retractions: int
    last: datetime


def change_setting(ws: Workspace, changes: Changes) -> list[SettingChange]:
    """Writes what is new of these changes into the settings file, and has this process go by it.

    Raises NightshiftError, having changed nothing, for a key that is not one of those, and a value that will not do.
    """
    return _changed(ws, changes, undoes=None)


def undo_setting_change(ws: Workspace, change_id: str) -> list[SettingChange]:
    """Puts back what stood there before a change. Raises NightshiftError where that was done, or it changed again."""
    change = ws.store.get(SettingChange, change_id)
    if change is None:
        raise NightshiftError(f"there is no change {change_id!r} of the settings")
    if ws.store.find(SettingChange, undoes=change.id):
        raise NightshiftError(f"that change of {change.key} was taken back already")
    newest = ws.store.find(SettingChange, key=change.key, newest_first=True, limit=1)
    if newest and newest[0].id != change.id:
        raise NightshiftError(f"{change.key} was changed again since; take back the newest change first")
    return _changed(ws, {change.key: change.before}, undoes=change.id)


def setting_changes(ws: Workspace, limit: int = 20) -> list[SettingChange]:
    """The newest first."""
    return ws.store.find(SettingChange, newest_first=True, limit=limit)


def next_time(cron: str, after: datetime | None = None) -> datetime:
    """When a cron line comes round next, in local time. Raises NightshiftError for one that never does, or is none."""
    try:
        return next(CronSim(cron_line(cron), (after or now()).astimezone()))
    except ValueError as error:
        raise NightshiftError(str(error)) from error
    except StopIteration:
        raise NightshiftError(f"{cron!r} is no cron line that ever comes round") from None


def reviewers(ws: Workspace, environment: str) -> list[Reviewer]:
    """Who said anything, busiest first."""
    said: dict[str, list[Correction]] = {}
    for word in ws.store.find(Correction, environment=ws.environment(environment).name):
        said.setdefault(word.reviewer, []).append(word)
    found = [
        Reviewer(
            name=name,
            words=sum(word.retracts is None for word in words),
            retractions=sum(word.retracts is not None for word in words),
            last=max(word.at for word in words),
        )
        for name, words in said.items()
    ]
    return sorted(found, key=lambda each: (-each.words, each.name))


def recent_works(ws: Workspace, environment: str, limit: int = 10) -> list[str]:
    """Descriptions of work that screens were held against last, newest first."""
    recent = ws.store.find(Prediction, environment=environment, limit=RECENT, newest_first=True)
    ask_of = (
        {each.id: each.ask for each in ws.store.find(Example, id={each.example for each in recent})} if recent else {}
    )
    return list(dict.fromkeys(ask_of[each.example] for each in recent if each.example in ask_of))[:limit]


def _changed(ws: Workspace, changes: Changes, *, undoes: str | None) -> list[SettingChange]:
    _refuse(changes)
    fresh = {key: value for key, value in changes.items() if value_of(ws.settings, key) != value}
    if not fresh:
        return []
    settings, before = change_settings(ws.home, fresh)
    who = acting().name
    made = [
        SettingChange(id=new_id(), key=key, before=before[key], after=value, by=who, undoes=undoes)
        for key, value in fresh.items()
    ]
    lines = [entry("setting.undone" if undoes else "setting.changed", each.key, _told(each)) for each in made]
    ws.store.add(*made, *lines)
    # Only what was changed: the rest may have been told to this process by whoever opened it.
    ws.settings = ws.settings.model_copy(
        update={section: getattr(settings, section) for section in {key.split(".")[0] for key in fresh}}
    )
    return made


def _refuse(changes: Changes) -> None:
    for key, value in changes.items():
        if key not in CHANGEABLE:
            raise NightshiftError(f"{key} is not changed from here; edit nightshift.toml ({', '.join(CHANGEABLE)} are)")
        if key.endswith(".schedule") and value is not None:
            next_time(str(value))


def _told(change: SettingChange) -> str:
    if change.key == "console.works":
        return f"{_number(change.before)} -> {_number(change.after)} descriptions"
    return f"{_value(change.before)} -> {_value(change.after)}"


def _number(works: JsonValue) -> int:
    return len(works) if isinstance(works, Sequence) and not isinstance(works, str) else 0


def _value(value: JsonValue) -> str:
    return "the default" if value is None else str(value)
