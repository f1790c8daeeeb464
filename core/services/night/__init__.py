"""The night: corrections become a challenger, and the challenger champion if it earns it.

Every stage is a function of workspace, run and lease whose result is stored once. A stage that was killed runs again
with the same outcome; one that is done is not done again.
"""

from core.services.night.evaluate import evaluate
from core.services.night.frozen import frozen, lot, waiting, wanted
from core.services.night.gate import gate
from core.services.night.ingest import ingest
from core.services.night.judge import judge
from core.services.night.kinds import wanted_kinds
from core.services.night.pictures import Spread
from core.services.night.promote import promote
from core.services.night.record import (
    STAGES,
    Stage,
    abandon,
    audits_tonight,
    begin,
    corrections_waiting,
    flow_runs_of,
    keep_flow_run,
    lease_name,
    night_report,
    night_result,
    nights,
    stage_result,
)
from core.services.night.report import night_remarks, report
from core.services.night.retention import retention
from core.services.night.train import train, train_hearing, training_steps
from core.services.night.variants import make_variants, make_variants_by

__all__ = [
    "STAGES",
    "Spread",
    "Stage",
    "abandon",
    "audits_tonight",
    "begin",
    "corrections_waiting",
    "evaluate",
    "flow_runs_of",
    "frozen",
    "gate",
    "ingest",
    "judge",
    "keep_flow_run",
    "lease_name",
    "lot",
    "make_variants",
    "make_variants_by",
    "night_remarks",
    "night_report",
    "night_result",
    "nights",
    "promote",
    "report",
    "retention",
    "stage_result",
    "train",
    "train_hearing",
    "training_steps",
    "waiting",
    "wanted",
    "wanted_kinds",
]
