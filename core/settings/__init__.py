"""One tree of settings: defaults here, then a profile, the home's `nightshift.toml`, the environment, the caller.

A profile is a TOML file under `deployments/profiles/`, named by `NIGHTSHIFT_PROFILE` or `profile = "..."` in the
home's file. Environment variables look like `NIGHTSHIFT_GATE__ALPHA=0.05`.
"""

from core.settings.judging import (
    OPENAI_URL,
    AuditSettings,
    JudgingSettings,
    NamedJudgeSettings,
    PanelSettings,
)
from core.settings.notices import NoticeSettings, WebhookSettings
from core.settings.reading import ReadingSettings
from core.settings.redaction import RedactionSettings
from core.settings.retention import RetentionSettings
from core.settings.tree import (
    GateSettings,
    LearningSettings,
    MediaSettings,
    NightSettings,
    ReaderSettings,
    RegistrySettings,
    ReviewSettings,
    RewardSettings,
    RolloutSettings,
    ServeSettings,
    Settings,
    VlmSettings,
    load_settings,
    resolve_home,
)

__all__ = [
    "OPENAI_URL",
    "AuditSettings",
    "GateSettings",
    "JudgingSettings",
    "LearningSettings",
    "MediaSettings",
    "NamedJudgeSettings",
    "NightSettings",
    "NoticeSettings",
    "PanelSettings",
    "ReaderSettings",
    "ReadingSettings",
    "RedactionSettings",
    "RegistrySettings",
    "RetentionSettings",
    "ReviewSettings",
    "RewardSettings",
    "RolloutSettings",
    "ServeSettings",
    "Settings",
    "VlmSettings",
    "WebhookSettings",
    "load_settings",
    "resolve_home",
]
