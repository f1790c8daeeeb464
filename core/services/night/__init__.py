"""The night: corrections become a challenger, and the challenger champion if it earns it.

Every stage is a function of workspace, run and lease whose result is stored once. A stage that was killed runs again
with the same outcome; one that is done is not done again.
"""

from core.services.night.evaluate import evaluate
from core.services.night.frozen import frozen, lot, waiting, wanted
from core.services.night.gate import gate
from core.services.night.ingest import ingest
from core.services.night.judge import judge
from core.services.night.promote import promote
from core.services.night.record import (
    STAGES,
    abandon,
    audits_tonight,
    begin,
    corrections_waiting,
    lease_name,
    night_report,
    night_result,
    nights,
    stage_result,
)
from core.services.night.report import night_remarks, report
from core.services.night.retention import retention
from core.services.night.train import train, train_hearing, training_steps
from core.services.night.variants import make_variants

__all__ = [
    "STAGES",
    "abandon",
    "audits_tonight",
    "begin",
    "corrections_waiting",
    "evaluate",
    "frozen",
    "gate",
    "ingest",
    "judge",
    "lease_name",
    "lot",
    "make_variants",
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
]
