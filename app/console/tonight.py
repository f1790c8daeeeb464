"""The night to come and the night at work: what waits for it, how to start one now, and how to cancel it."""

from html import escape
from typing import Any, NamedTuple

from app.console.drawing import card, notice
from app.console.language import later, say
from core.access import entry
from core.environments import Environment
from core.schema import NightshiftError
from core.services import Workspace, corrections_waiting, nights

__all__ = ["Look", "Tonight"]

ENDED_BADLY = {
    "failed": later("The night failed: {message}"),
    "crashed": later("The night crashed: {message}"),
    "cancelled": later("The night was cancelled: {message}"),
    "timedout": later("The night took too long: {message}"),
}
AT_WORK = ("pending", "running", "cancelling", "retrying", "late")


class Look(NamedTuple):
    """What a look at Prefect and the store shows."""

    card: str
    is_at_work: bool
    asked: str | None
    "The flow run that is still waited for."


class Tonight:
    """Asks Prefect and the store; runs nothing itself. `asked` is the flow run that a page asked for, or None."""

    def __init__(self, ws: Workspace, environment: Environment) -> None:
        self.ws = ws
        self.environment = environment

    def start(self) -> str:
        """Asks the Nightshift that is up for a night; the flow run. Raises NightshiftError where none is up."""
        from flows.client import start_night

        asked = start_night(self.ws.home, self.environment.name, trigger="console")
        self.ws.store.add(entry("night.asked", self.environment.name))
        return asked

    def cancel(self) -> str:
        """Asks for the end of the night that runs; its flow run. Raises NightshiftError where there is none."""
        from flows.client import cancel_night

        ended = cancel_night(self.ws.home, self.environment.name)
        self.ws.store.add(entry("night.cancelled", self.environment.name))
        return ended

    def look(self, asked: str | None) -> Look:
        """How things stand."""
        flows = self._flows()
        mine = next((flow for flow in flows if flow["flow_run"] == asked), None)
        note = ""
        if asked and mine is None and flows is not NOT_UP:
            note = notice(say("Asked for. It starts in a few seconds."), "open")
        elif mine is not None and mine["state"] in ENDED_BADLY:
            message = mine["message"] or say("see its log in Prefect")
            note, asked = notice(say(ENDED_BADLY[mine["state"]], message=message), "bad"), None
        elif mine is not None and mine["state"] == "completed":
            note, asked = notice(say("The night is done; its report is on this page.")), None
        is_at_work = bool(asked) or any(flow["state"] in AT_WORK for flow in flows)
        return Look(self._card(note or self._standing(is_at_work)), is_at_work, asked)

    def _standing(self, is_at_work: bool) -> str:
        newest = next(iter(nights(self.ws, self.environment.name, 1)), None)
        is_open = newest is not None and newest["state"] == "running"
        if is_open and not is_at_work:
            return notice(say("The last night is unfinished. The next one goes on from there."), "open")
        if is_at_work and not is_open:
            return notice(say("Prefect is starting the night; the first stage shows here."), "open")
        return ""

    def _flows(self) -> list[dict[str, Any]]:
        from flows.client import night_flow_states

        try:
            return night_flow_states(self.ws.home, self.environment.name, limit=5)
        except NightshiftError:
            return NOT_UP

    def _card(self, note: str) -> str:
        waiting = corrections_waiting(self.ws, self.environment.name)
        enough = self.ws.settings.night.after_corrections
        meter = (
            f'<div class="ns-bar ns-quiet" role="meter" aria-label="{say("New answers of people")}" '
            f'aria-valuenow="{waiting}" aria-valuemin="0" aria-valuemax="{enough}">'
            f'<i style="width:{min(1.0, waiting / enough):.0%}"></i></div>'
        )
        told = say("{n} of {enough} new answers of people", n=f"<strong>{waiting}</strong>", enough=enough)
        schedule = _schedule_in_words(self.ws.settings.night.schedule)
        when = say("A night starts by itself at {enough}, and {schedule}.", enough=enough, schedule=schedule)
        return card(say("Tonight"), f'<p>{told}</p>{meter}<p class="ns-fine">{when}{self._prefect_link()}</p>{note}')

    def _prefect_link(self) -> str:
        from flows.auth import AUTH_FILE
        from flows.server import running

        up = running(self.ws.home)
        if up is None:
            return " " + say("Prefect is not running now.")
        opened = say("Open Prefect")
        asks = say("It asks once for what {file} in the home holds.", file=f"<code>{AUTH_FILE}</code>")
        return f' <a href="{escape(up.prefect_url)}" target="_blank" rel="noreferrer">{opened}</a>. {asks}'


def _schedule_in_words(cron: str) -> str:
    """A cron expression, in words where it is a plain time of day."""
    minute, hour, *days = cron.split()
    if minute.isdigit() and hour.isdigit() and days == ["*", "*", "*"]:
        return say("every day at {time}", time=f"{int(hour):02d}:{int(minute):02d}")
    return say("on the schedule {cron}", cron=f"<code>{escape(cron)}</code>")


NOT_UP: list[dict[str, Any]] = []
"""Stands for the answer of a Prefect that is not there."""
