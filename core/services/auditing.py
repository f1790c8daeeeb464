"""How far a judge agrees with people, on a labelled folder."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from core.evaluation import accuracy, cohen_kappa, ece, kappa_ci95
from core.schema import Judgment, NightshiftError
from core.services.importing import FolderRow, Progress
from core.services.judging import judge_examples, unscored_reasons
from core.services.measuring import FolderLibrary, labelled_pairs
from core.services.workspace import Workspace

__all__ = ["JudgeEvaluation", "evaluate_judge"]


@dataclass(frozen=True)
class JudgeEvaluation:
    """What `nightshift judge eval` shows."""

    figures: dict[str, Any]
    hard: dict[str, Any]
    "Number, scored and accuracy of the hard pairs."
    unscored: Counter[str]
    "Reasons, each with its number."
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class _Said:
    """A row of the folder and what the judge said of it."""

    row: FolderRow
    judgment: Judgment

    @property
    def answer(self) -> str:
        return str(max(self.judgment.scores, key=lambda each: each.score).answer)

    @property
    def confidence(self) -> float:
        return max(each.score for each in self.judgment.scores)

    @property
    def is_right(self) -> bool:
        return self.answer == self.row.label


def evaluate_judge(
    ws: Workspace, environment: str, directory: Path, name: str, *, progress: Progress | None = None
) -> JudgeEvaluation:
    """Agreement with the labels of a folder, over what the judge scores; judgments are kept in the store.

    Raises NightshiftError for a judge that does not exist or lacks a setting, and for a folder without a good pair.
    """
    started = time.perf_counter()
    teacher = ws.environment(environment).judge(ws.settings.model_copy(update={"judge": name}))
    library = FolderLibrary(ws.cache, ws.settings.media)
    pairs = labelled_pairs(
        ws, environment, directory, library, read=teacher.reads, progress=progress if teacher.reads else None
    )
    examples = [pair.example for pair in pairs]
    judged = judge_examples(ws.store, teacher, examples, library, told=progress or (lambda *_: None))
    said = [_Said(pair.row, judged.of_example[pair.example.id]) for pair in pairs]
    scored = [each for each in said if each.judgment.unscored is None]
    if any(each.row.label not in {score.answer for score in each.judgment.scores} for each in scored):
        raise NightshiftError(f"judge {name!r} has no score for some labels of {directory}")
    right = [float(each.is_right) for each in scored]
    biases = [each.judgment.position_bias for each in scored if each.judgment.position_bias is not None]
    labels, answers = [each.row.label for each in scored], [each.answer for each in scored]
    interval = kappa_ci95(labels, answers, [each.row.app for each in scored])
    return JudgeEvaluation(
        figures={
            "n": len(said),
            "scored": len(scored),
            "accuracy": accuracy(right),
            "kappa": cohen_kappa(labels, answers),
            "kappa_ci95": list(interval) if interval else None,
            "ece": ece([each.confidence for each in scored], right),
            "position_bias": fmean(biases) if biases else None,
            "calls": judged.calls,
            "cached": len(judged.of_example) - len(judged.made),
            "cost_usd": judged.cost_usd,
            "seconds": round(time.perf_counter() - started, 2),
            "by_category": _by_category(said),
        },
        hard=_figures([each for each in said if each.row.hard]),
        unscored=unscored_reasons(each.judgment for each in said),
        warnings=teacher.warnings,
    )


def _by_category(said: Sequence[_Said]) -> dict[str, dict[str, Any]]:
    names = sorted({each.row.category for each in said})
    return {name or "(none)": _figures([each for each in said if each.row.category == name]) for name in names}


def _figures(said: Sequence[_Said]) -> dict[str, Any]:
    right = [float(each.is_right) for each in said if each.judgment.unscored is None]
    return {"n": len(said), "scored": len(right), "accuracy": accuracy(right)}
