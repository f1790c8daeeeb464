"""What models within this process share: where they are, how a request becomes their input, and what they answer."""

import base64
import binascii
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image, UnidentifiedImageError

from core.judge.faults import Fault, FaultKind
from core.policy.vlm.foundation import content_of, folder_of
from core.policy.vlm.prompt import without_control_tokens
from core.schema import NightshiftError
from core.settings import JudgingSettings

__all__ = ["completion", "model_folder", "opened_messages"]


def model_folder(judge: str, settings: JudgingSettings) -> tuple[Path, str]:
    """Folder of `judging.model`, and the hash of what is in it. Nothing is downloaded.

    Raises NightshiftError where no model is named, or it is not on this machine.
    """
    if not settings.model:
        raise NightshiftError(
            f'judge "{judge}" needs judging.model, a folder or the hub name of a model on this machine'
        )
    folder = folder_of(settings.model, "judging.model")
    return folder, content_of(folder)


def opened_messages(
    request: dict[str, Any], control_tokens: Sequence[str]
) -> tuple[list[dict[str, Any]], list[Image.Image]]:
    """The conversation as chat templates take it, and its pictures in order.

    Raises Fault for a picture that is none; no address is ever fetched.
    """
    messages: list[dict[str, Any]] = []
    pictures: list[Image.Image] = []
    for message in request["messages"]:
        content = message["content"]
        parts: list[dict[str, Any]] = [{"type": "text", "text": content}] if isinstance(content, str) else content
        opened: list[dict[str, Any]] = []
        for part in parts:
            if part["type"] == "image_url":
                pictures.append(_picture(part["image_url"]["url"]))
                opened.append({"type": "image"})
            else:
                opened.append({"type": "text", "text": without_control_tokens(part["text"], control_tokens)})
        messages.append({"role": message["role"], "content": opened})
    return messages, pictures


def completion(
    text: str, finish_reason: str, usage: tuple[int, int], first: Sequence[tuple[str, float]] | None = None
) -> dict[str, Any]:
    """An answer as a chat server words it: `usage` in tokens sent and received, `first` the likeliest first tokens."""
    choice: dict[str, Any] = {"finish_reason": finish_reason, "message": {"role": "assistant", "content": text}}
    if first:
        top = [{"token": token, "logprob": logprob} for token, logprob in first]
        said = next((each for each in top if str(each["token"]).strip()), top[0])
        choice["logprobs"] = {"content": [{**said, "top_logprobs": top}]}
    return {"choices": [choice], "usage": {"prompt_tokens": usage[0], "completion_tokens": usage[1]}}


def _picture(url: str) -> Image.Image:
    head, _, data = url.partition(";base64,")
    if not head.startswith("data:image/"):
        raise Fault(FaultKind.NOT_TAKEN, "a picture that is no data: pictures are not fetched from anywhere")
    try:
        return Image.open(io.BytesIO(base64.b64decode(data, validate=True))).convert("RGB")
    except (binascii.Error, UnidentifiedImageError, OSError) as error:
        raise Fault(FaultKind.NOT_TAKEN, f"a picture that cannot be opened: {error}") from error
