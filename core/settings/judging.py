"""Settings of judges: models, panels, audits."""

from typing import Literal

from pydantic import Field, field_validator

from core.settings.cron import CronLine
from core.settings.section import Section, address_alone

__all__ = ["OPENAI_URL", "AuditSettings", "JudgingSettings", "NamedJudgeSettings", "PanelSettings"]

OPENAI_URL = "https://api.openai.com/v1"


class JudgingSettings(Section):
    """A judge that is a model; used where `judge` names one. Keys stand in the environment, never here."""

    base_url: str = Field(OPENAI_URL, description="openai: where the server is, up to and with its /v1.")
    model: str = Field(
        "",
        description="Its name there, empty: huggingface's default; transformers, vllm: folder or hub name on this "
        "machine.",
    )
    dtype: Literal["float32", "bfloat16"] = Field("float32", description="transformers, vllm: of the weights.")
    key_env: str = Field("", description="Environment variable that holds the key, where it is not the usual one.")
    azure_endpoint: str = Field("", description="azure: https://NAME.openai.azure.com.")
    azure_deployment: str = Field("", description="azure: name of the deployment.")
    azure_api_version: str = Field("2024-10-21", description="azure: version of the API.")
    verdict: Literal["auto", "logprobs", "json"] = Field(
        "auto", description="Read off the first token, written as JSON, or the first where the server gives it."
    )
    max_pixels: int = Field(1_500_000, ge=56 * 56, description="Larger pictures are scaled down for the judge.")
    concurrency: int = Field(8, ge=1, le=256, description="Calls in flight at a time.")
    calls_per_minute: float = Field(0.0, ge=0, description="Calls are spread to at most so many; 0: no such bound.")
    timeout_s: float = Field(60.0, gt=0, description="For one whole answer.")
    deadline_s: float = Field(180.0, gt=0, description="For one judgment, with all its calls, tries and waits.")
    tries: int = Field(5, ge=1, le=20, description="Calls for one answer where trying again may help.")
    breaker_failures: int = Field(10, ge=1, description="Failures in a row after which the server is left alone.")
    breaker_pause_s: float = Field(10.0, gt=0, description="For how long at first; each further time twice as long.")
    soft_tokens: int | None = Field(4_000_000, ge=0, description="No judgment is begun after so many tokens a night.")
    hard_tokens: int | None = Field(5_000_000, ge=0, description="No call is sent after so many tokens a night.")
    soft_usd: float | None = Field(None, ge=0, description="The same in dollars; needs both prices.")
    hard_usd: float | None = Field(None, ge=0, description="The same in dollars; needs both prices.")
    usd_per_million_input: float | None = Field(None, ge=0, description="Price of a million tokens sent.")
    usd_per_million_output: float | None = Field(None, ge=0, description="Price of a million tokens received.")

    @field_validator("base_url", "azure_endpoint")
    @classmethod
    def _holds_no_secret(cls, url: str) -> str:
        return address_alone(url, key="judging.key_env")

    @property
    def prices_are_known(self) -> bool:
        return self.usd_per_million_input is not None and self.usd_per_million_output is not None


class NamedJudgeSettings(JudgingSettings):
    """A judge with a name of its own, so that a panel may hold several of one kind. Complete: takes nothing from
    `judging`."""

    backend: str = Field(description="What kind it is: any name that `judge` takes, but reading.")


class PanelSettings(Section):
    """Several judges that speak as one; used where `judge` names more than one."""

    disagreement: float = Field(
        0.5, gt=0, le=1, description="Members whose scores of an answer are this far apart contradict each other."
    )


class AuditSettings(Section):
    """When judges are held against people's feedback."""

    schedule: CronLine = Field("0 5 * * *", description="Cron expression of the audit, local time.")
    most_labels: int = Field(1000, ge=1, description="Newest labels that an audit looks at.")
