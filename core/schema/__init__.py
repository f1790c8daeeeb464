"""The nouns every other package speaks in. Nothing here imports anything else of ours."""

from core.schema.audits import (
    Agreement,
    JudgeAudit,
)
from core.schema.base import (
    CANNOT_TELL,
    NightshiftError,
    Record,
    content_id,
    new_id,
    now,
)
from core.schema.decisions import (
    Decision,
    Evaluation,
    Frozen,
    GateResult,
    ItemScore,
    Outcome,
    Promotion,
)
from core.schema.erasures import (
    Erasure,
    Tombstone,
)
from core.schema.examples import (
    ChosenBy,
    Correction,
    Evidence,
    Example,
    Label,
    Media,
    Prediction,
    Session,
    Variant,
)
from core.schema.notices import (
    Delivery,
    Event,
    Notice,
)
from core.schema.releases import (
    Checkpoint,
    DatasetVersion,
    Release,
    Run,
    StageResult,
)
from core.schema.standing import (
    HubStep,
    Mark,
    ShadowAnswer,
    Trial,
    TrialStage,
    TrialStep,
)
from core.schema.teaching import (
    Alternative,
    Judgment,
    Rollout,
    Turn,
)

__all__ = [
    "CANNOT_TELL",
    "Agreement",
    "Alternative",
    "Checkpoint",
    "ChosenBy",
    "Correction",
    "DatasetVersion",
    "Decision",
    "Delivery",
    "Erasure",
    "Evaluation",
    "Event",
    "Evidence",
    "Example",
    "Frozen",
    "GateResult",
    "HubStep",
    "ItemScore",
    "JudgeAudit",
    "Judgment",
    "Label",
    "Mark",
    "Media",
    "NightshiftError",
    "Notice",
    "Outcome",
    "Prediction",
    "Promotion",
    "Record",
    "Release",
    "Rollout",
    "Run",
    "Session",
    "ShadowAnswer",
    "StageResult",
    "Tombstone",
    "Trial",
    "TrialStage",
    "TrialStep",
    "Turn",
    "Variant",
    "content_id",
    "new_id",
    "now",
]
