"""The night to come and the night at work: what waits for it, where it is, and how to start one now."""

from collections.abc import Mapping
from html import escape
from typing import Any

from app.console.drawing import card, notice
from app.console.learning import learning_curves
from app.console.nights import night_steps
from core.environments import Environment
from core.schema import NightshiftError
from core.services import Workspace, corrections_waiting, nights, training_steps

__all__ = ["Tonight"]

ENDED_BADLY = ("failed", "crashed", "cancelled", "timedout")
AT_WORK = ("pending", "running", "cancelling", "retrying", "late")


class Tonight:
    """Asks Prefect and the store; runs nothing itself. `asked` is the flow run that a page asked for, or None."""

    def __init__(self, ws: Workspace, environment: Environment) -> None:
        self.ws = ws
        self.environment = environment

    def start(self) -> str:
        """Asks the Nightshift that is up for a night; the flow run. Raises NightshiftError where none is up."""
        from flows.client import start_night

        return start_night(self.ws.home, self.environment.name, trigger="console")

    def look(self, asked: str | None) -> tuple[str, bool, str | None]:
        """The card, whether a night is at work, and the flow run that is still waited for."""
        newest = next(iter(nights(self.ws, self.environment.name, 1)), None)
        flows = self._flows()
        mine = next((flow for flow in flows if flow["flow_run"] == asked), None)
        note = ""
        if asked and mine is None and flows is not NOT_UP:
            note = notice("Asked for. It starts in a few seconds.", "open")
        elif mine is not None and mine["state"] in ENDED_BADLY:
            note, asked = (
                notice(f"The night {mine['state']}: {mine['message'] or 'see its log in Prefect'}", "bad"),
                None,
            )
        elif mine is not None and mine["state"] == "completed":
            note, asked = notice("The night is done; its report is on this page."), None
        is_at_work = bool(asked) or any(flow["state"] in AT_WORK for flow in flows)
        return self._card(newest, note, is_at_work), is_at_work, asked

    def _flows(self) -> list[dict[str, Any]]:
        from flows.client import night_flow_states

        try:
            return night_flow_states(self.ws.home, self.environment.name, limit=5)
        except NightshiftError:
            return NOT_UP

    def _card(self, newest: Mapping[str, Any] | None, note: str, is_at_work: bool) -> str:
        waiting = corrections_waiting(self.ws, self.environment.name)
        enough = self.ws.settings.night.after_corrections
        steps = ""
        if newest is not None and newest["state"] == "running":
            steps = night_steps(newest)
            if newest["stage"] == "train":
                steps += learning_curves(training_steps(self.ws, newest["run_id"]), self.ws.settings.learning.steps)
            if not is_at_work:
                note = note or notice("This night is unfinished. The next one goes on from here.", "open")
        elif is_at_work:
            note = note or notice("Prefect is starting the night; the first stage shows here.", "open")
        meter = (
            f'<div class="ns-bar ns-quiet" role="meter" aria-label="New answers of people" aria-valuenow="{waiting}" '
            f'aria-valuemin="0" aria-valuemax="{enough}"><i style="width:{min(1.0, waiting / enough):.0%}"></i></div>'
        )
        schedule = _schedule_in_words(self.ws.settings.night.schedule)
        return card(
            "Tonight",
            f"<p><strong>{waiting}</strong> of {enough} new answers of people</p>{meter}"
            f'<p class="ns-fine">A night starts by itself at {enough}, and {schedule}.'
            f"{self._prefect_link()}</p>{steps}{note}",
        )

    def _prefect_link(self) -> str:
        from flows.server import running

        up = running(self.ws.home)
        if up is None:
            return " Prefect is not running now."
        return f' <a href="{escape(up.prefect_url)}" target="_blank" rel="noreferrer">Open Prefect</a>'


def _schedule_in_words(cron: str) -> str:
    """A cron expression, in words where it is a plain time of day."""
    minute, hour, *days = cron.split()
    if minute.isdigit() and hour.isdigit() and days == ["*", "*", "*"]:
        return f"every day at {int(hour):02d}:{int(minute):02d}"
    return f"on the schedule <code>{escape(cron)}</code>"


NOT_UP: list[dict[str, Any]] = []
"""Stands for the answer of a Prefect that is not there."""
