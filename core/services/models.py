"""Who is champion, who was, and how to go back."""

from pathlib import Path
from typing import Any

from core.access import acting, told
from core.policy.vlm.policy import VlmPolicy
from core.schema import Decision, NightshiftError, Promotion, Release
from core.services.classify import Classifier
from core.services.workspace import Workspace

__all__ = ["champion_card", "history", "merge", "rollback"]


def history(ws: Workspace, environment: str) -> list[Promotion]:
    """Every change of champion, newest first, with its reason."""
    return ws.registry.history(ws.environment(environment).name)[::-1]


def rollback(
    ws: Workspace, environment: str, *, reason: str = "", by: str | None = None, to: str | None = None
) -> Promotion:
    """Makes the champion before this one, or the earlier one named, champion again.

    Raises NightshiftError where there is none to go back to.
    """
    name, who = ws.environment(environment).name, by or acting().name
    return ws.registry.rollback(name, reason=reason, by=who, to=to, telling=told("release.rolled_back"))


def champion_card(ws: Workspace, environment: str) -> dict[str, Any]:
    """What there is to say of the champion on one page; JSON-ready."""
    champion = ws.registry.champion(environment)
    challenger = ws.registry.challenger(environment)
    changes = history(ws, environment)
    decisions = ws.store.find(Decision, environment=environment, limit=1, newest_first=True)
    return {
        "release": champion.id if champion else None,
        "since": changes[0].at.isoformat() if changes else None,
        "how": changes[0].action if changes else None,
        "reason": changes[0].reason if changes else None,
        "previous": changes[0].previous if changes else None,
        "challenger": challenger.id if challenger else None,
        "releases": ws.store.count(Release, environment),
        "last_decision": decisions[0] if decisions else None,
    }


def merge(ws: Workspace, environment: str, directory: Path, *, release: str = "champion") -> str:
    """Writes a release as a complete model without adapter, for programs that know nothing of adapters; its id.

    Raises NightshiftError where the release has no adapter, or the folder is not empty.
    """
    classifier = Classifier.load(ws, environment, release)
    if not isinstance(classifier.policy, VlmPolicy):
        raise NightshiftError(f"policy {classifier.policy.name!r} has no adapter; there is nothing to merge")
    if directory.exists() and any(directory.iterdir()):
        raise NightshiftError(f"{directory} is not empty; a merged model needs a folder of its own")
    classifier.policy.merge(directory)
    return classifier.release_id
