"""What a person or a program can ask for. Command line, HTTP, console and flows all come through here."""

from core.services import night
from core.services.ablation import ablate, ablate_variants
from core.services.auditing import JudgeEvaluation, audit_figures, audit_judges, evaluate_judge
from core.services.claiming import (
    Given,
    HandedOut,
    Seat,
    answer_claimed,
    claim_also,
    give_back,
    hand_out,
    renew,
    reviewed_today,
    take_up,
)
from core.services.classify import Classifier, classify
from core.services.comparing import compare_releases
from core.services.disputes import Dispute, disputes, settle
from core.services.doctor import Finding, doctor
from core.services.drawing import DrawnFolder, draw_folder
from core.services.erasing import Wanted, forget
from core.services.exporting import export_version
from core.services.feedback import AnothersWord, correct, may_undo, standing_word, take_back, undo
from core.services.importing import ImportReport, import_folder
from core.services.labelling import correct_screen
from core.services.measuring import evaluate_folder
from core.services.models import champion_card, history, merge, rollback
from core.services.moving import Manifest, backup, copy_store, restore
from core.services.night import corrections_waiting, night_report, night_result, nights, training_steps
from core.services.opinion import judge_prediction, judged_before
from core.services.predictions import Explanation, explanation, prediction, prediction_page
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
from core.services.verifying_drawn import DrawnFigures, measure_drawn
from core.services.version_card import version_card
from core.services.versions import compare_versions, find_version, version_facts, versions
from core.services.workspace import Workspace

__all__ = [
    "AnothersWord",
    "Classifier",
    "Dispute",
    "DrawnFigures",
    "DrawnFolder",
    "Explanation",
    "Finding",
    "Given",
    "HandedOut",
    "ImportReport",
    "JudgeEvaluation",
    "Manifest",
    "ReviewItem",
    "Seat",
    "Wanted",
    "Workspace",
    "ablate",
    "ablate_variants",
    "advance",
    "answer_claimed",
    "approve",
    "audit_figures",
    "audit_judges",
    "backup",
    "champion_card",
    "claim_also",
    "classify",
    "collect_garbage",
    "compare_releases",
    "compare_versions",
    "copy_store",
    "correct",
    "correct_screen",
    "corrections_waiting",
    "disputes",
    "doctor",
    "draw_folder",
    "evaluate_folder",
    "evaluate_judge",
    "explanation",
    "export_version",
    "find_version",
    "forget",
    "give_back",
    "hand_out",
    "history",
    "import_folder",
    "judge_prediction",
    "judged_before",
    "may_undo",
    "measure_drawn",
    "measure_titles",
    "merge",
    "night",
    "night_report",
    "night_result",
    "nights",
    "prediction",
    "prediction_page",
    "promote_release",
    "pull",
    "push",
    "quarantine_release",
    "reject_release",
    "release_facts",
    "releases",
    "renew",
    "restore",
    "retain",
    "review_queue",
    "reviewed_today",
    "rollback",
    "rollout_state",
    "session_frames",
    "sessions",
    "settle",
    "simulate",
    "standing_word",
    "take_back",
    "take_up",
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
