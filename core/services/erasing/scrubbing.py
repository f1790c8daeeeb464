"""Records that stay and name what goes: they are written again without it."""

from collections.abc import Collection
from typing import Any

from pydantic import JsonValue

from core.schema import Correction, Evaluation, Record, StageResult
from core.services.workspace import Workspace
from core.store import KINDS

__all__ = ["ERASED", "retractions_kept", "without", "without_examples", "without_name"]

ERASED = "erased"
"In the place of a person's name."
WHO = ("by", "reviewer")


def without_examples(ws: Workspace, ids: Collection[str]) -> list[Record]:
    """Evaluations and results of stages, without the items, figures and lists that are about these examples."""
    changed: list[Record] = []
    for evaluation in ws.store.naming(Evaluation, ids):
        kept = {
            name: tuple(item for item in getattr(evaluation, name) if item.example not in ids)
            for name in ("scores", "hostile")
        }
        changed.append(evaluation.model_copy(update=kept))
    for done in ws.store.naming(StageResult, ids):
        changed.append(done.model_copy(update={"result": without(done.result, frozenset(ids))}))
    return changed


def without(value: JsonValue, ids: Collection[str]) -> Any:
    """JSON without what is one of these ids, is named by one, or says that it is about one as its `example`."""
    if isinstance(value, dict):
        kept = {key: each for key, each in value.items() if key not in ids and not _is_about(each, ids)}
        return {key: without(each, ids) for key, each in kept.items()}
    if isinstance(value, list):
        return [without(each, ids) for each in value if not _is_about(each, ids)]
    return value


def retractions_kept(ws: Workspace, name: str) -> list[Correction]:
    """Where this person took back words of others, which would stand again without it."""
    taken_back = {word.retracts: word for word in ws.store.find(Correction, reviewer=name) if word.retracts}
    words = ws.store.find(Correction, id=set(taken_back)) if taken_back else []
    return [taken_back[word.id] for word in words if word.reviewer != name]


def without_name(ws: Workspace, name: str) -> list[Record]:
    """Every record that stays and says that this person did something, saying it of nobody."""
    changed: list[Record] = []
    fields = [(who, name) for who in WHO]
    for kind in KINDS:
        for record in retractions_kept(ws, name) if kind is Correction else ws.store.naming(kind, (), fields):
            told = _unnamed(record.model_dump(mode="json"), name)
            changed.append(kind.model_validate(told))
    return changed


def _is_about(value: JsonValue, ids: Collection[str]) -> bool:
    if isinstance(value, str):
        return value in ids
    return isinstance(value, dict) and value.get("example") in ids


def _unnamed(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return {key: ERASED if key in WHO and each == name else _unnamed(each, name) for key, each in value.items()}
    return [_unnamed(each, name) for each in value] if isinstance(value, list) else value
