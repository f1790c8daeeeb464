"""What Prefect does by itself: ends runs that fell silent, and tells a notification block what happened.

Each automation is made once under its name and left alone after that: whoever changes one in Prefect's pages keeps
the change. An event of ours is called `nightshift.<event>` (`core.schema.Event`), its resource
`nightshift.environment.<environment>`.
"""

from typing import Any

from core.schema import Event, NightshiftError, Notice
from core.settings import NoticeSettings
from flows.server import ask

__all__ = ["ALIVE", "emit", "set_up", "tell_block", "watch_heartbeats"]

ALIVE = "a night that falls silent has crashed"
PREFIX, RESOURCE = "nightshift", "nightshift.environment"
BODY = (
    "{{ event.payload.title }}\n"
    "{% for name, value in event.payload.detail.items() %}{{ name }}: {{ value }}\n{% endfor %}"
)


def set_up(api_url: str, settings: NoticeSettings) -> None:
    """Makes the automations that are not there yet. Raises NightshiftError where the block that is named is missing."""
    watch_heartbeats(api_url)
    if settings.prefect_block:
        tell_block(api_url, settings.prefect_block)


def emit(notice: Notice) -> None:
    """Tells Prefect of a notice, so that any automation can act on it."""
    from prefect.events import emit_event

    emit_event(
        f"{PREFIX}.{notice.event.value}",
        resource={"prefect.resource.id": f"{RESOURCE}.{notice.environment}", "prefect.resource.name": notice.title},
        payload={"title": notice.title, "subject": notice.subject, "detail": notice.detail},
        occurred=notice.at,
    )


def watch_heartbeats(api_url: str) -> None:
    """Has Prefect mark a run as crashed whose process fell silent without a word."""
    ends = [f"prefect.flow-run.{state}" for state in ("Completed", "Failed", "Cancelled", "Crashed")]
    trigger: dict[str, Any] = {
        "type": "event",
        "posture": "Proactive",
        "after": ["prefect.flow-run.heartbeat"],
        "expect": ["prefect.flow-run.heartbeat", *ends],
        "match": {"prefect.resource.id": ["prefect.flow-run.*"]},
        "for_each": ["prefect.resource.id"],
        "threshold": 1,
        "within": 180,
    }
    crash = {"type": "change-flow-run-state", "state": "CRASHED", "message": "no sign of life for three minutes"}
    _once(api_url, ALIVE, trigger, crash)


def tell_block(api_url: str, block: str) -> None:
    """Has Prefect tell the notification block TYPE/NAME of everything we emit, one automation an event.

    Raises NightshiftError where Prefect has no such block.
    """
    kind, name = block.split("/")
    try:
        document = ask("GET", f"{api_url}/block_types/slug/{kind}/block_documents/name/{name}")
    except NightshiftError as error:
        raise NightshiftError(
            f"setting 'notices.prefect_block': Prefect has no block {block!r}; make it there first ({error})"
        ) from error
    for event in Event:
        trigger: dict[str, Any] = {
            "type": "event",
            "posture": "Reactive",
            "expect": [f"{PREFIX}.{event.value}"],
            "match": {"prefect.resource.id": [f"{RESOURCE}.*"]},
            "threshold": 1,
            "within": 0,
        }
        words = event.value.replace("_", " ")
        told = {
            "type": "send-notification",
            "block_document_id": document["id"],
            "subject": f"Nightshift: {words}",
            "body": BODY,
        }
        _once(api_url, f"tell {block} of nightshift: {words}", trigger, told)


def _once(api_url: str, name: str, trigger: dict[str, Any], action: dict[str, Any]) -> None:
    if not ask("POST", f"{api_url}/automations/filter", {"automations": {"name": {"any_": [name]}}}):
        ask("POST", f"{api_url}/automations/", {"name": name, "trigger": trigger, "actions": [action]})
