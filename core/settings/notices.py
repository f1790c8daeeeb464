"""Who is told when something happens."""

from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from core.schema import Event
from core.settings.section import Section

__all__ = ["NoticeSettings", "WebhookSettings"]


class WebhookSettings(Section):
    """One address that notices are posted to."""

    name: str = Field(min_length=1, description="What it is called in the list of deliveries; keep it.")
    url: str = Field(description="Where to post; http or https, without a user, a password or a query.")
    secret_env: str = Field(
        "NIGHTSHIFT_WEBHOOK_SECRET", description="Environment variable that holds the secret which signs (whsec_...)."
    )
    events: tuple[Event, ...] = Field(tuple(Event), min_length=1, description="What it is told of; everything.")

    @field_validator("url")
    @classmethod
    def _holds_no_secret(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must begin with http:// or https:// and name a server")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("must be an address alone; what is secret belongs in the variable secret_env names")
        return url


class NoticeSettings(Section):
    """What is told to other programs. Nothing leaves this machine unless an address stands here."""

    webhooks: tuple[WebhookSettings, ...] = Field((), description="Addresses that signed notices are posted to.")
    prefect_block: str = Field(
        "", description="TYPE/NAME of a notification block in Prefect (slack-webhook/ops) that is told the same."
    )
    tries: int = Field(8, ge=1, le=20, description="Posts of one notice to one address before it is given up.")
    timeout_s: float = Field(10.0, gt=0, description="For one post.")
    drift_days: int = Field(7, ge=1, description="Days whose verdicts are held against all earlier ones.")

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [each.name for each in self.webhooks]
        if len(set(names)) < len(names):
            raise ValueError("two webhooks have the same name; their deliveries could not be told apart")
        return self

    @field_validator("prefect_block")
    @classmethod
    def _names_type_and_block(cls, block: str) -> str:
        if block and len([part for part in block.split("/") if part]) != 2:
            raise ValueError("write TYPE/NAME, for example slack-webhook/ops")
        return block
