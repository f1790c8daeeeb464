"""One signed post, as the Standard Webhooks specification has it (standardwebhooks.com)."""

import json
import os
from typing import NamedTuple

import httpx
from standardwebhooks import Webhook

from core.schema import NightshiftError, Notice, now
from core.settings import WebhookSettings

__all__ = ["Answer", "post", "secret_of"]

LONGEST_ERROR = 200


class Answer(NamedTuple):
    """How a post went."""

    status: int | None
    error: str | None

    @property
    def ok(self) -> bool:
        return self.error is None


def secret_of(endpoint: WebhookSettings) -> str:
    """The secret that signs, from the environment. Raises NightshiftError where it is missing or no secret."""
    secret = os.environ.get(endpoint.secret_env, "")
    if not secret:
        raise NightshiftError(f"webhook {endpoint.name!r} needs a secret in the variable {endpoint.secret_env}")
    try:
        Webhook(secret)
    except ValueError as error:
        raise NightshiftError(
            f"the variable {endpoint.secret_env} is no secret of a webhook: whsec_ and base64 are wanted"
        ) from error
    return secret


def post(notice: Notice, endpoint: WebhookSettings, client: httpx.Client, *, timeout_s: float) -> Answer:
    """Posts a notice once. Whatever goes wrong with the network or the other side is in the answer.

    The id in the headers is the notice's, so that who hears it twice can tell. Redirects are not followed: they could
    lead anywhere. Raises NightshiftError where there is no secret to sign with.
    """
    signer, moment = Webhook(secret_of(endpoint)), now()
    body = json.dumps(
        {
            "type": notice.event.value,
            "timestamp": notice.at.isoformat(),
            "data": {
                "environment": notice.environment,
                "title": notice.title,
                "subject": notice.subject,
                **notice.detail,
            },
        },
        ensure_ascii=False,
    )
    headers = {
        "Content-Type": "application/json",
        "webhook-id": notice.id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": signer.sign(notice.id, moment, body),
    }
    try:
        # A body that is read could drip for ever; the status says all.
        with client.stream("POST", endpoint.url, content=body.encode(), headers=headers, timeout=timeout_s) as reply:
            status = reply.status_code
    except httpx.HTTPError as error:
        return Answer(None, f"{type(error).__name__}: {error}"[:LONGEST_ERROR])
    return Answer(status, None if 200 <= status < 300 else f"status {status}")
