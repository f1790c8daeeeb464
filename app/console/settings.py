"""The page on which an installation is looked after: what is offered, when nights run, what stays, who may come in."""

import json
import threading
from html import escape
from typing import Any, NamedTuple

import gradio as gr
from pydantic import JsonValue

from app.access import allow
from app.console import pages
from app.console.drawing import card, moment, notice, table
from app.console.keys import MODELS
from app.console.language import label, later, say
from app.console.people import account_card, people_cards
from app.console.shell import event, heading, html, page_head
from app.console.states import nothing_yet
from core.access import acting, audit_log
from core.schema import AuditEntry, NightshiftError, Role, SettingChange
from core.services import Workspace
from core.services.changing import (
    change_setting,
    next_time,
    recent_works,
    reviewers,
    setting_changes,
    undo_setting_change,
)
from core.services.retention import pictures_due
from core.settings import Changes, value_of

__all__ = ["settings_page"]

PARTS = 20
"What the page is made of: three cards with what is in them, and five parts below."
SHOWN_LINES = 30
SHOWN_CHANGES = 8
WORKS = ("console.works",)
NIGHTS = ("night.schedule", "night.after_corrections", "audits.schedule", "review.audits_per_night")
DAYS = ("retention.without_feedback_days",)
FLOWS = {"night.schedule": "nightly", "audits.schedule": "audits"}
KEYS_NOTE = later(
    "Keys are chosen on the page itself: {key} shows the sheet of a page. They belong to your browser, not to this "
    "installation."
)


class _Form(NamedTuple):
    """A card with what somebody types into it, what stands beside that, and how it is saved."""

    card: gr.Column
    typed: list[Any]
    beside: list[Any]
    seen: gr.Textbox
    "The settings as they stood when the card was drawn, as JSON: what nobody typed is not written."
    save: gr.Button
    told: gr.HTML


def settings_page(console: gr.Blocks, ws: Workspace) -> None:
    """Draws the page and binds its events. Must be called inside a Blocks context."""
    page = _Settings(ws)
    page_head(None, None, MODELS, ws)
    with gr.Column(elem_classes="ns-page ns-settings"), gr.Row(elem_classes="ns-split"):
        with gr.Column(scale=7, min_width=320, elem_classes="ns-stack"):
            forms = (_works_form(), _nights_form(), _retention_form())
            changed, who_reviews = html(), html()
            undone = gr.Textbox(visible=False)
            undo = gr.Button(label("Undo the last change"), visible=False, elem_id="undo-setting")
            told_undo = html()
            log = html(elem_id="audit-log")
        with gr.Column(scale=4, min_width=320, elem_id="ns-panel", elem_classes="ns-stack"):
            account_card(console, ws)
            people_cards(console, ws)

    cards = [form.card for form in forms]
    fields = [field for form in forms for field in (*form.typed, *form.beside, form.seen)]
    shown = [*cards, *fields, changed, undone, undo, who_reviews, log]
    console.load(page.shown, None, shown, **event())
    for form, save in zip(forms, (page.save_works, page.save_nights, page.save_days), strict=True):
        form.save.click(save, [*form.typed, form.seen], [form.told, *shown], **event())
    undo.click(page.undo, [undone], [told_undo, *shown], **event())


def _works_form() -> _Form:
    with gr.Column(visible=False, elem_classes="ns-card ns-form", elem_id="works-card") as works_card:
        heading(later("Descriptions of work"))
        works = gr.Textbox(
            label=label("Offered to everybody"),
            info=label("One a line. They stand on the Classify page, beside those used before in the same browser."),
            lines=4,
            max_lines=12,
            elem_id="works",
        )
        recent = html()
        save = gr.Button(label("Save descriptions"), elem_id="save-works")
        told = html()
    return _Form(works_card, [works], [recent], gr.Textbox(visible=False), save, told)


def _nights_form() -> _Form:
    with gr.Column(visible=False, elem_classes="ns-card ns-form", elem_id="nights-card") as nights_card:
        heading(later("Nights"))
        with gr.Row(elem_classes="ns-pair"):
            cron = gr.Textbox(
                label=label("Nights run (cron)"), info=label("minute hour day month weekday"), elem_id="cron"
            )
            after = gr.Number(
                label=label("And after new answers"),
                info=label("counted since the last night"),
                precision=0,
                minimum=1,
                elem_id="after",
            )
        with gr.Row(elem_classes="ns-pair"):
            judged = gr.Textbox(label=label("Judges are audited (cron)"), elem_id="audit-cron")
            blind = gr.Number(label=label("Blind audits a night"), precision=0, minimum=0, elem_id="blind")
        coming = html()
        save = gr.Button(label("Save nights"), elem_id="save-nights")
        told = html()
    return _Form(nights_card, [cron, after, judged, blind], [coming], gr.Textbox(visible=False), save, told)


def _retention_form() -> _Form:
    with gr.Column(visible=False, elem_classes="ns-card ns-form", elem_id="retention-card") as retention_card:
        heading(later("Retention"))
        days = gr.Number(
            label=label("Days that screens without feedback are kept"),
            info=label("Counted from when they were last seen; 0 keeps them for ever. Screens with feedback stay."),
            minimum=0,
            elem_id="retention-days",
        )
        due = html()
        save = gr.Button(label("Save retention"), elem_id="save-retention")
        told = html()
    return _Form(retention_card, [days], [due], gr.Textbox(visible=False), save, told)


class _Settings:
    """The handlers. What somebody may not change they do not see; the services check what is written."""

    def __init__(self, ws: Workspace) -> None:
        self.ws = ws
        self._turn = threading.Lock()

    @allow(Role.VIEWER)
    def shown(self) -> list[Any]:
        """The page as things stand, for whoever asks."""
        role = acting().role
        cards = [gr.Column(visible=role.reaches(least)) for least in (Role.OPERATOR, Role.ENGINEER, Role.ADMIN)]
        changes = setting_changes(self.ws, SHOWN_CHANGES)
        last = next((each for each in changes if self._can_undo(each, changes)), None)
        return [
            *cards,
            *self._fields(),
            _changes(changes) if role.reaches(Role.ENGINEER) else "",
            last.id if last else "",
            gr.Button(
                say("Undo: {key}", key=last.key) if last else "",
                visible=last is not None and role.reaches(Role.ADMIN),
            ),
            self._reviewers(),
            _log(audit_log(self.ws, limit=SHOWN_LINES)) if role.reaches(Role.ADMIN) else "",
        ]

    @allow(Role.OPERATOR)
    def save_works(self, works: Any, seen: Any) -> list[Any]:
        """What everybody is offered."""
        lines: list[JsonValue] = [text for line in str(works or "").splitlines() if (text := " ".join(line.split()))]
        return self._saved({"console.works": lines}, seen)

    @allow(Role.ENGINEER)
    def save_nights(self, cron: Any, after: Any, judged: Any, blind: Any, seen: Any) -> list[Any]:
        """When nights run, and judges are audited."""
        typed = (" ".join(str(cron or "").split()), _whole(after), " ".join(str(judged or "").split()), _whole(blind))
        return self._saved(dict(zip(NIGHTS, typed, strict=True)), seen)

    @allow(Role.ADMIN)
    def save_days(self, days: Any, seen: Any) -> list[Any]:
        """How long screens without feedback are kept."""
        return self._saved(dict.fromkeys(DAYS, float(days) if isinstance(days, int | float) else None), seen)

    @allow(Role.ADMIN)
    def undo(self, change: Any) -> list[Any]:
        """Takes a change back."""
        try:
            made = undo_setting_change(self.ws, str(change or ""))
        except NightshiftError as error:
            return [notice(say("Nothing was taken back: {error}", error=error), "bad"), *self.shown()]
        if not made:
            return ["", *self.shown()]
        told = say("{key} is as it was before.", key=made[0].key)
        return [notice(f"{told}{self._rescheduled(made)}"), *self.shown()]

    def _saved(self, typed: Changes, seen: Any) -> list[Any]:
        try:
            with self._turn:
                made = change_setting(self.ws, self._meant(typed, seen))
        except NightshiftError as error:
            return [notice(say("Nothing was changed: {error}", error=error), "bad"), *[gr.skip()] * PARTS]
        if not made:
            return [notice(say("Nothing is new."), "open"), *self.shown()]
        told = say("Saved: {keys}.", keys=", ".join(each.key for each in made))
        return [notice(f"{told}{self._rescheduled(made)}"), *self.shown()]

    def _meant(self, typed: Changes, seen: Any) -> Changes:
        """What is other than it was seen. Raises NightshiftError where that is not how it stands any more."""
        before = _parsed(seen)
        meant = {key: value for key, value in typed.items() if value != before.get(key)}
        for key in meant:
            if self._standing(key) != before.get(key):
                raise NightshiftError(say("{key} was changed since this page was shown; look again", key=key))
        return meant

    def _standing(self, key: str) -> Any:
        """As its field shows it."""
        value = value_of(self.ws.settings, key)
        return float(str(value or 0)) if key in DAYS else value

    def _seen(self, keys: tuple[str, ...]) -> str:
        return json.dumps({key: self._standing(key) for key in keys})

    def _rescheduled(self, made: list[SettingChange]) -> str:
        """Tells Prefect where it is up; else the next start does."""
        from flows.client import reschedule

        for each in made:
            if each.key in FLOWS:
                section = each.key.split(".")[0]
                cron = self.ws.settings.night.schedule if section == "night" else self.ws.settings.audits.schedule
                try:
                    for environment in self.ws.environments:
                        reschedule(self.ws.home, environment, FLOWS[each.key], cron)
                except NightshiftError:
                    return " " + say("The schedule counts from the next start of Nightshift on.")
        return ""

    @staticmethod
    def _can_undo(change: SettingChange, changes: list[SettingChange]) -> bool:
        newest_of_key = next(each for each in changes if each.key == change.key)
        return newest_of_key is change and change.undoes is None

    def _fields(self) -> list[Any]:
        told = self.ws.settings
        held_against = pages.environments_of(pages.CLASSIFY, self.ws)
        recent = [work for each in held_against for work in recent_works(self.ws, each.name)]
        return [
            "\n".join(told.console.works),
            _recent([work for work in recent if work not in told.console.works]),
            self._seen(WORKS),
            told.night.schedule,
            told.night.after_corrections,
            told.audits.schedule,
            told.review.audits_per_night,
            self._coming(),
            self._seen(NIGHTS),
            told.retention.without_feedback_days or 0,
            _due(len(pictures_due(self.ws))),
            self._seen(DAYS),
        ]

    def _coming(self) -> str:
        schedules = self.ws.settings.night.schedule, self.ws.settings.audits.schedule
        try:
            night, audit = map(next_time, schedules)
        except NightshiftError as error:
            return notice(str(error), "bad")
        told = say("Next night {night}, next audit of the judges {audit}.", night=moment(night), audit=moment(audit))
        return f'<p class="ns-fine">{told}</p>'

    def _reviewers(self) -> str:
        rows = [
            (
                escape(each.name),
                escape(say(self.ws.environment(environment).title)),
                str(each.words),
                str(each.retractions),
                moment(each.last),
            )
            for environment in self.ws.environments
            for each in reviewers(self.ws, environment)
        ]
        head = (say("Who"), say("About"), say("Answers"), say("Taken back"), say("Last"))
        body = table(head, rows, numbers=(2, 3)) if rows else nothing_yet(say("Nobody has answered anything yet."))
        return card(say("Reviewers"), f'{body}<p class="ns-fine">{say(KEYS_NOTE, key="<kbd>?</kbd>")}</p>')


def _parsed(seen: Any) -> dict[str, Any]:
    """What a page says that it saw; nothing where that is none of what was put there."""
    try:
        told = json.loads(str(seen))
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _whole(number: Any) -> int | None:
    return int(number) if isinstance(number, int | float) else None


def _due(n: int) -> str:
    one = say("One screen is due to go with the next night.")
    told = one if n == 1 else say("{n} screens are due to go with the next night.", n=n)
    return f'<p class="ns-fine">{told}</p>'


def _recent(works: list[str]) -> str:
    if not works:
        return ""
    listed = "".join(f"<li>{escape(work)}</li>" for work in works)
    return f"<details><summary>{say('Used lately: {n}', n=len(works))}</summary><ul>{listed}</ul></details>"


def _changes(changes: list[SettingChange]) -> str:
    if not changes:
        return ""
    rows = [
        (moment(each.at), escape(each.key), escape(_value(each.before)), escape(_value(each.after)), escape(each.by))
        for each in changes
    ]
    head = (say("When"), say("What"), say("Before"), say("After"), say("By"))
    return card(say("Changes of the settings"), table(head, rows))


def _value(value: Any) -> str:
    if value is None:
        return say("the default")
    return say("Descriptions: {n}", n=len(value)) if isinstance(value, list) else str(value)


def _log(lines: list[AuditEntry]) -> str:
    rows = [
        (
            moment(each.at),
            escape(each.who),
            f"{escape(each.action.replace('.', ' ').replace('_', ' '))} <code>{escape(each.subject)}</code>",
            escape(each.detail),
            f'<span class="ns-from">{escape(each.door)}{f", {escape(each.address)}" if each.address else ""}</span>',
        )
        for each in lines
    ]
    whole = say("All of it: {command}.", command="<code>nightshift audit</code>")
    body = table((say("When"), say("Who"), say("What"), "", say("Door")), rows)
    return card(say("Audit log"), f'{body}<p class="ns-fine">{whole}</p>')
