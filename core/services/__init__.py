"""What a person or a program can ask for. Command line, HTTP, console and flows all come through here."""

from core.services import night
from core.services.ablation import ablate
from core.services.auditing import JudgeEvaluation, audit_figures, audit_judges, evaluate_judge
from core.services.classify import Classifier, classify, prediction
from core.services.comparing import compare_releases
from core.services.doctor import Finding, doctor
from core.services.erasing import Wanted, forget
from core.services.exporting import export_version
from core.services.feedback import correct, standing_word, undo
from core.services.importing import ImportReport, import_folder
from core.services.measuring import evaluate_folder
from core.services.models import champion_card, history, merge, rollback
from core.services.moving import Manifest, backup, copy_store, restore
from core.services.night import corrections_waiting, night_report, night_result, nights, training_steps
from core.services.publishing import pull, push
from core.services.releases import (
    collect_garbage,
    promote_release,
    quarantine_release,
    reject_release,
    release_facts,
    releases,
    verify_releases,
)
from core.services.retention import retain
from core.services.review import ReviewItem, review_queue
from core.services.rollout import advance, approve, rollout_state
from core.services.sessions import session_frames, sessions
from core.services.simulation import simulate
from core.services.training import train_on_folder
from core.services.verifying import measure_titles, verify_prediction, verify_screen
from core.services.version_card import version_card
from core.services.versions import compare_versions, find_version, version_facts, versions
from core.services.workspace import Workspace

__all__ = [
    "Classifier",
    "Finding",
    "ImportReport",
    "JudgeEvaluation",
    "Manifest",
    "ReviewItem",
    "Wanted",
    "Workspace",
    "ablate",
    "advance",
    "approve",
    "audit_figures",
    "audit_judges",
    "backup",
    "champion_card",
    "classify",
    "collect_garbage",
    "compare_releases",
    "compare_versions",
    "copy_store",
    "correct",
    "corrections_waiting",
    "doctor",
    "evaluate_folder",
    "evaluate_judge",
    "export_version",
    "find_version",
    "forget",
    "history",
    "import_folder",
    "measure_titles",
    "merge",
    "night",
    "night_report",
    "night_result",
    "nights",
    "prediction",
    "promote_release",
    "pull",
    "push",
    "quarantine_release",
    "reject_release",
    "release_facts",
    "releases",
    "restore",
    "retain",
    "review_queue",
    "rollback",
    "rollout_state",
    "session_frames",
    "sessions",
    "simulate",
    "standing_word",
    "train_on_folder",
    "training_steps",
    "undo",
    "verify_prediction",
    "verify_releases",
    "verify_screen",
    "version_card",
    "version_facts",
    "versions",
]
