"""The card about groups in use: how often they pass, whether that drifts, and how many passes audits found false."""

from collections.abc import Mapping
from html import escape
from typing import Any

from app.console.drawing import badge, card, table
from app.console.language import figure, say
from app.console.quality import percent
from app.console.states import nothing_yet

__all__ = ["missions_card"]


def missions_card(found: Mapping[str, Any]) -> str:
    """What `core.services.groups.monitored` found, mission by mission, and each of its sites below it."""
    title = say("Missions and sites")
    if not found["missions"]:
        return card(title, nothing_yet(say("No group has been inspected yet.")))
    rows = [row for mission, of in found["missions"].items() for row in _rows(mission, of)]
    head = (
        say("Mission, site"),
        say("Groups"),
        say("Pass"),
        say("Pass before"),
        say("Moved?"),
        say("Audited passes"),
        say("Of those false"),
        say("At most"),
    )
    note = say(
        "Groups by the first verdict of a model, of the last {days} days and of before. Moved: a chance below 1% "
        "(Fisher's exact test). Passes that people were shown by lot say how many are false, and how many at most with "
        "95% confidence.",
        days=f"{found['days']:g}",
    )
    shown = table(head, rows, numbers=(1, 2, 3, 5, 6, 7))
    return card(title, f'<div class="ns-missions">{shown}</div><p class="ns-fine">{note}</p>')


def _rows(mission: str, of: Mapping[str, Any]) -> list[tuple[str, ...]]:
    sites = of["sites"]
    below = [_row(f'<span class="ns-site">{escape(site)}</span>', sites[site]) for site in sites]
    return [_row(f"<strong>{escape(mission)}</strong>", of), *below]


def _row(name: str, of: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        name,
        f"{of['groups']:,}",
        percent(of["pass_rate"]),
        percent(of["pass_rate_before"]),
        _moved(of),
        f"{of['audited_passes']:,}",
        percent(of["false_passes"]),
        percent(of["false_passes_at_most"]),
    )


def _moved(of: Mapping[str, Any]) -> str:
    if of["drift_p"] is None:
        return "–"
    p = f"p = {figure(of['drift_p'], '.3f')}"
    word = badge(say("moved"), "bad") if of["drifted"] else badge(say("as before"), "good")
    return f'<span title="{p}">{word}</span>'
