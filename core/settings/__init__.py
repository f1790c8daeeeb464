"""One tree of settings: defaults here, then a profile, the home's `nightshift.toml`, the environment, the caller.

A profile is a TOML file under `deployments/profiles/`, named by `NIGHTSHIFT_PROFILE` or `profile = "..."` in the
home's file. Environment variables look like `NIGHTSHIFT_GATE__ALPHA=0.05`.
"""

from core.settings.access import AccessSettings
from core.settings.bootstrap import BootstrapSettings
from core.settings.console import ConsoleSettings
from core.settings.cron import cron_line
from core.settings.editing import Changes, change_settings, value_of
from core.settings.engine import EngineSettings
from core.settings.group_qc import GroupQcSettings, GroupRewardSettings
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
from core.settings.replay import ReplaySettings
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
from core.settings.variants import VariantSettings

__all__ = [
    "OPENAI_URL",
    "AccessSettings",
    "AuditSettings",
    "BootstrapSettings",
    "Changes",
    "ConsoleSettings",
    "EngineSettings",
    "GateSettings",
    "GroupQcSettings",
    "GroupRewardSettings",
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
    "ReplaySettings",
    "RetentionSettings",
    "ReviewSettings",
    "RewardSettings",
    "RolloutSettings",
    "ServeSettings",
    "Settings",
    "VariantSettings",
    "VlmSettings",
    "WebhookSettings",
    "change_settings",
    "cron_line",
    "load_settings",
    "resolve_home",
    "value_of",
]
