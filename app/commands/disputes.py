"""`nightshift disputes`: what is kept out of training until a person settles it."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from app.commands import opened
from app.terminal import Answer
from core import services
from core.schema import Label
from core.services import Dispute

__all__ = ["listed", "settle"]


def listed(home: Path | None, environment: str) -> Answer:
    """Every open dispute, the one longest open first."""
    ws = opened(home, environment)
    found = services.disputes(ws, environment)
    data = {"environment": environment, "disputes": [_told(each) for each in found]}
    return Answer(data, partial(_show, found))


def settle(
    home: Path | None, environment: str, example: str, label: str, reason: str | None, reviewer: str | None
) -> Answer:
    """Stores the word that settles one. Raises NightshiftError where the example is not in dispute."""
    ws = opened(home, environment)
    word = services.settle(ws, environment, example, label, reason=reason, reviewer=reviewer)
    data = {
        "example": example,
        "correction_id": word.id,
        "label": word.answer,
        "open": len(services.disputes(ws, environment)),
    }
    return Answer(data, lambda console: console.print(f"Settled: {label}. {data['open']} disputes are open."))


def _told(each: Dispute) -> dict[str, Any]:
    return {
        "example": each.example.id,
        "work": each.example.ask,
        "media": list(each.example.media),
        "prediction_id": each.prediction,
        "words": [_word(label) for label in each.words],
        "near_duplicates": [{"example": label.example, **_word(label)} for label in each.others],
    }


def _word(label: Label) -> dict[str, Any]:
    return {
        "label": label.answer,
        "reviewer": label.reviewer,
        "reason": label.reason,
        "chosen_by": label.chosen_by.value,
        "at": label.at.isoformat(),
    }


def _show(found: Sequence[Dispute], console: Console) -> None:
    if not found:
        console.print("People do not contradict each other anywhere.")
    for each in found:
        console.print(f"{each.example.id}  {each.example.ask}", markup=False)
        for label in each.words:
            console.print(f"  {label.answer}, said {label.reviewer}", markup=False)
        for label in each.others:
            console.print(
                f"  {label.answer}, of near-duplicate {label.example[:12]}, said {label.reviewer}", markup=False
            )
    if found:
        console.print(
            "Settle one: nightshift disputes settle EXAMPLE --label LABEL; or in Review, where they come first"
        )
