"""Evaluations written as rows: what champion and challenger scored on each example."""

from collections.abc import Callable
from typing import Any

import pytest

from core.schema import Evaluation, GateResult, ItemScore
from core.settings import GateSettings

Row = tuple[float, float, dict[str, Any]]
"Champion's score, challenger's score, fields of the example (or `probability` of both sides)."


@pytest.fixture
def settings() -> GateSettings:
    return GateSettings()


@pytest.fixture
def sound() -> list[GateResult]:
    return [GateResult(name="finite_weights", value=0, bound=0, passed=True)]


@pytest.fixture
def evaluations() -> Callable[..., tuple[Evaluation, Evaluation]]:
    return paired_evaluations


def paired_evaluations(
    rows: list[Row], *, releases: tuple[str, str] = ("champion", "challenger"), latency: tuple[Any, Any] = (None, None)
) -> tuple[Evaluation, Evaluation]:
    sides = []
    for side in (0, 1):
        scores = tuple(_item(number, row, side) for number, row in enumerate(rows))
        sides.append(
            Evaluation(
                id=f"evaluation of {releases[side]}",
                environment="screen",
                release=releases[side],
                suite="golden and cross-fitted",
                scores=scores,
                latency_ms_p50=latency[side],
            )
        )
    return sides[0], sides[1]


def _item(number: int, row: Row, side: int) -> ItemScore:
    score, fields = row[side], dict(row[2])
    expected = fields.pop("expected", "on_task")
    probabilities = fields.pop("probabilities", None)
    return ItemScore(
        **{
            "example": f"example {number:04d}",
            "cluster": f"cluster {number:04d}",
            "score": score,
            "answer": expected if score == 1 else f"not {expected}",
            "expected": expected,
            "probability": probabilities[side] if probabilities else None,
            **fields,
        }
    )


def rows(*, fixes: int = 0, breaks: int = 0, right: int = 0, wrong: int = 0, **fields: Any) -> list[Row]:
    """Rows of each kind, all with the same fields."""
    return (
        [(0.0, 1.0, fields)] * fixes
        + [(1.0, 0.0, fields)] * breaks
        + [(1.0, 1.0, fields)] * right
        + [(0.0, 0.0, fields)] * wrong
    )


@pytest.fixture(name="rows")
def rows_fixture() -> Callable[..., list[Row]]:
    return rows
