"""Reading bodies by hand, so that each fault of one gets its own status, and pictures come in two ways."""

import base64
import binascii
import json
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from fastapi import HTTPException, Request
from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData, UploadFile

from app.wire import MOST_PICTURES, Pictured
from core.settings import MediaSettings

__all__ = [
    "accepts",
    "body_limit",
    "decoded",
    "first_fault",
    "form_of",
    "is_json",
    "json_body",
    "one_picture",
    "pictures_of",
    "refuse_too_large",
    "texts_of",
    "validated",
    "with_file",
]

SMALL_BODY = 1 << 20
BESIDE_THE_PICTURE = 1 << 16
MOST_FIELDS = 40
BATCH_BODIES = 4
"Times the largest picture that a request with several may have."
Body = TypeVar("Body", bound=BaseModel)
Fields = TypeVar("Fields", bound=BaseModel)


def body_limit(path: str, media: MediaSettings) -> int:
    """How many bytes a request to `path` may have."""
    of_a_picture = math.ceil(media.max_bytes * 4 / 3) + BESIDE_THE_PICTURE
    if path.startswith("/v1/") and path.endswith(("/predictions/batch", "/groups")):
        return BATCH_BODIES * of_a_picture
    takes_a_picture = path.startswith("/v1/") and path.endswith(("/predictions", "/feedback"))
    return of_a_picture if takes_a_picture and path != "/v1/feedback" else SMALL_BODY


def accepts(*bodies: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    """Documents a body that the route reads itself."""
    return {"requestBody": {"required": True, "content": {kind: {"schema": schema} for kind, schema in bodies}}}


def with_file(fields: type[BaseModel], *, several: bool = False) -> dict[str, Any]:
    """The schema of a form: a picture, or several, and what comes beside."""
    form = fields.model_json_schema()
    file: dict[str, Any] = {"type": "string", "format": "binary"}
    if several:
        file = {"type": "array", "items": file, "minItems": 1, "maxItems": MOST_PICTURES}
    form["properties"] = {"image": file, **form["properties"]}
    form["required"] = ["image", *form.get("required", [])]
    return form


async def one_picture(request: Request, fields: type[Fields], body: type[Pictured]) -> tuple[bytes, str | None, Fields]:
    """The file, its name where it has one, and what came with it: in a form, or in JSON as a `body` of such fields.

    Raises HTTPException 400, 413, 415 or 422.
    """
    if is_json(request, also="multipart/form-data"):
        told = validated(body, await json_body(request))
        beside = fields.model_validate(told.model_dump(exclude={"image_base64"}))
        return decoded(told.image_base64), None, beside
    async with form_of(request, most=1) as form:
        (file,) = pictures_of(form)
        beside = validated(fields, {name: texts[-1] for name, texts in texts_of(form).items() if texts})
        return await file.read(), file.filename or None, beside


def is_json(request: Request, *, also: str | None = None) -> bool:
    """Whether a body is JSON; if not it is what is taken `also`. Raises HTTPException 415 for anything else."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("application/json", also):
        known = "application/json" if also is None else f"{also} or application/json"
        raise HTTPException(415, f"send {known}, not {kind or 'nothing'}")
    return kind == "application/json"


async def json_body(request: Request) -> Any:
    """Raises HTTPException 400 for what is no JSON."""
    try:
        return json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, f"the body is not JSON: {error}") from error


@asynccontextmanager
async def form_of(request: Request, *, most: int) -> AsyncIterator[FormData]:
    """The form, with at most so many files."""
    async with request.form(max_files=most, max_fields=MOST_FIELDS, max_part_size=BESIDE_THE_PICTURE) as form:
        yield form


def pictures_of(form: FormData) -> list[UploadFile]:
    """The files called `image`, in order. Raises HTTPException 422 where there is none."""
    files = form.getlist("image")
    if not files or not all(isinstance(file, UploadFile) for file in files):
        raise HTTPException(422, "image: a file is required")
    return [file for file in files if isinstance(file, UploadFile)]


def texts_of(form: FormData) -> dict[str, list[str]]:
    """Everything else in it."""
    return {name: [text for text in form.getlist(name) if isinstance(text, str)] for name in form if name != "image"}


def validated(model: type[Body], values: Any) -> Body:
    """Raises HTTPException 422 with the first thing that is wrong."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise HTTPException(422, first_fault(error.errors(include_url=False))) from error


def first_fault(errors: Any) -> str:
    """The first of pydantic's errors in a line."""
    first = errors[0]
    field = ".".join(str(part) for part in first["loc"] if part not in ("body", "query", "path", "header"))
    message = str(first["msg"]).removeprefix("Value error, ")
    return f"{field}: {message}" if field else message


def decoded(image_base64: str) -> bytes:
    """Raises HTTPException 400 for what is no base64."""
    try:
        return base64.b64decode(image_base64, validate=True)
    except (binascii.Error, ValueError) as error:
        raise HTTPException(400, f"image_base64 is not base64: {error}") from error


def refuse_too_large(data: bytes, media: MediaSettings) -> None:
    """Raises HTTPException 413 for more bytes than a picture may have."""
    if len(data) > media.max_bytes:
        raise HTTPException(413, f"the picture has {len(data):,} bytes; at most {media.max_bytes:,}")
