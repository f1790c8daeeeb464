"""What a release is worth, whether it may replace the champion, and the page that says so."""

from core.evaluation.drift import Drift, category_drift, drift
from core.evaluation.earned import earned_weight
from core.evaluation.gate import PRIMARY, decide
from core.evaluation.metrics import (
    Abstaining,
    Figures,
    Summary,
    abstaining,
    accuracy,
    auroc,
    balanced_accuracy,
    cohen_kappa,
    ece,
    figures,
    kappa_ci95,
    share_ci95,
    summarise,
)
from core.evaluation.report import render_report, render_summary
from core.evaluation.selection import MIN_BLIND
from core.evaluation.statistics import (
    ClusterSums,
    cluster_sums,
    difference_ci95,
    examples_needed,
    holm,
    mcnemar_exact,
    shrink,
    sign_flip_p,
)
from core.evaluation.waiting import SINCE_FROZEN, decide_frozen, frozen_level, is_promising

__all__ = [
    "MIN_BLIND",
    "PRIMARY",
    "SINCE_FROZEN",
    "Abstaining",
    "ClusterSums",
    "Drift",
    "Figures",
    "Summary",
    "abstaining",
    "accuracy",
    "auroc",
    "balanced_accuracy",
    "category_drift",
    "cluster_sums",
    "cohen_kappa",
    "decide",
    "decide_frozen",
    "difference_ci95",
    "drift",
    "earned_weight",
    "ece",
    "examples_needed",
    "figures",
    "frozen_level",
    "holm",
    "is_promising",
    "kappa_ci95",
    "mcnemar_exact",
    "render_report",
    "render_summary",
    "share_ci95",
    "shrink",
    "sign_flip_p",
    "summarise",
]
