"""Figures of an ablation's arms, pooled over its splits. Axes: N answers of all splits, B bins of confidence."""

from collections.abc import Mapping, Sequence
from itertools import chain
from statistics import mean
from typing import Any

import numpy as np
from pydantic import JsonValue

from core.evaluation import abstaining, figures, summarise
from core.schema import ItemScore
from core.services.ablation.arms import BEFORE, FULL, Arm
from core.services.ablation.parts import Part
from core.services.measuring import paired_difference

__all__ = ["ablation_figures"]

BINS = 20


def ablation_figures(
    arms: Sequence[Arm], found: Mapping[str, Sequence[Part]], *, positive: JsonValue
) -> dict[str, Any]:
    """Figures by arm, with the difference from `full` on the same answers, and the confidences of two of them."""
    full = found.get(FULL)
    return {
        "arms": {arm.name: _arm(arm, found[arm.name], full, positive) for arm in arms},
        "confidence": {name: _confidences(found[name]) for name in (BEFORE, FULL) if name in found},
    }


def _arm(arm: Arm, parts: Sequence[Part], full: Sequence[Part] | None, positive: JsonValue) -> dict[str, Any]:
    scores = _scores(parts)
    overall, hard = figures(scores, positive=positive), summarise(_scores(parts, hard=True))
    latencies = list(chain.from_iterable(part.latency_ms for part in parts))
    compared = None if full is None or arm.name == FULL else full
    return {
        "about": arm.about,
        "n": overall.n,
        "accuracy": overall.accuracy,
        "ci95": overall.ci95,
        "balanced_accuracy": overall.balanced_accuracy,
        "auroc": overall.auroc,
        "ece": overall.ece,
        "abstaining": [line.model_dump() for line in abstaining(scores)],
        "hard": {
            "n": hard.n,
            "accuracy": hard.accuracy,
            "ci95": hard.ci95,
            "from_full": compared and _difference(_scores(compared, hard=True), _scores(parts, hard=True)),
        },
        "from_full": compared and _difference(_scores(compared), scores),
        "by_split": [summarise(part.scores).accuracy for part in parts],
        "latency_ms": {"p50": round(float(np.percentile(latencies, 50)), 1)},
        "training": _training(parts),
    }


def _scores(parts: Sequence[Part], *, hard: bool = False) -> list[ItemScore]:
    told = chain.from_iterable(zip(part.scores, part.hard, strict=True) for part in parts)
    return [score for score, is_hard in told if is_hard or not hard]


def _difference(full: Sequence[ItemScore], scores: Sequence[ItemScore]) -> dict[str, Any] | None:
    return paired_difference(full, scores) if scores else None


def _training(parts: Sequence[Part]) -> dict[str, float] | None:
    """Means over the splits; `seconds` are those of the training stage alone."""
    told = [part.training for part in parts if part.training is not None]
    return {name: round(mean(each[name] for each in told), 3) for name in told[0]} if told else None


def _confidences(parts: Sequence[Part]) -> dict[str, list[int]]:
    """Counts[B] over 0..1 of the probability given to the right answer, of hard pairs and of the others."""
    told = list(chain.from_iterable(zip(part.scores, part.hard, strict=True) for part in parts))
    return {
        name: np.histogram(
            [score.expected_probability or 0.0 for score, hard in told if hard == is_hard], bins=BINS, range=(0.0, 1.0)
        )[0].tolist()
        for name, is_hard in (("hard", True), ("other", False))
    }
