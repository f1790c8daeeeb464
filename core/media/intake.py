"""The way in for pictures: nothing is decoded before its size is known, nothing is kept but its pixels."""

import hashlib
import io
import stat
from pathlib import Path

import imagehash
from PIL import Image

from core.media.blobs import blob_key
from core.media.errors import ImageRefused
from core.media.header import Header, check_name, read_header
from core.media.normalise import bounded, encode, opaque_rgb, upright
from core.schema import Media
from core.settings import MediaSettings

__all__ = ["as_kept", "hamming", "intake", "pixel_hash", "read_file"]

MIN_SIDE = 8
"Pixels; on anything smaller there is nothing to see, and nothing for a perceptual hash to hold on to."


def intake(
    data: bytes,
    settings: MediaSettings,
    *,
    name: str | None = None,
    source: str | None = None,
    session: str | None = None,
) -> tuple[Media, bytes]:
    """A PNG, JPEG or WebP, normalised: the media record and the PNG file to put under its `blob` key.

    `name` is the file's name, where it has one; its suffix must fit the content. The id is the hash of the normalised
    pixels, so the same picture in two formats without loss is one media. `max_bytes` and `max_pixels` bound what comes
    in; what is kept may take more bytes. Raises ImageRefused with the reason, and no other exception.
    """
    try:
        header = _acceptable(data, settings, name)
        image = bounded(_decode(data, header), settings.max_side)
        if min(image.size) < MIN_SIDE:
            raise ImageRefused(f"is too narrow: {image.width} x {image.height} pixels once it is scaled down")
    except ImageRefused as error:
        raise ImageRefused(error.reason, name) from error.__cause__
    return as_kept(image, source=source, session=session)


def as_kept(image: Image.Image, *, source: str | None = None, session: str | None = None) -> tuple[Media, bytes]:
    """The record of a normalised RGB picture, and the PNG file to put under its `blob` key."""
    stored = encode(image)
    media = Media(
        id=pixel_hash(image),
        blob=blob_key(stored, "png"),
        width=image.width,
        height=image.height,
        phash=str(imagehash.phash(image)),
        source=source,
        session=session,
    )
    return media, stored


def read_file(path: Path, settings: MediaSettings) -> bytes:
    """The content of a file of at most `max_bytes`; a larger one is not read. Raises ImageRefused."""
    try:
        # Pipes and devices may never end, or never begin.
        if not stat.S_ISREG(path.stat().st_mode):
            raise ImageRefused("is not a file", str(path))
        with path.open("rb") as file:
            data = file.read(settings.max_bytes + 1)
    except FileNotFoundError as error:
        raise ImageRefused("there is no such file", str(path)) from error
    except (OSError, ValueError) as error:
        raise ImageRefused(f"cannot be read: {getattr(error, 'strerror', None) or error}", str(path)) from error
    if len(data) > settings.max_bytes:
        raise ImageRefused(_too_many_bytes(settings), str(path))
    return data


def hamming(a: str, b: str) -> int:
    """Bits in which two perceptual hashes (16 hex digits) differ, 0 to 64."""
    return (int(a, 16) ^ int(b, 16)).bit_count()


def _acceptable(data: bytes, settings: MediaSettings, name: str | None) -> Header:
    if not data:
        raise ImageRefused("is empty")
    if len(data) > settings.max_bytes:
        raise ImageRefused(_too_many_bytes(settings))
    header = read_header(data)
    if name is not None:
        check_name(name, header.format)
    if header.animated:
        raise ImageRefused("is animated; only still pictures are taken in")
    size = f"{header.width} x {header.height} pixels"
    if min(header.width, header.height) < MIN_SIDE:
        raise ImageRefused(f"is too small: {size}, but each side must have at least {MIN_SIDE}")
    if header.width * header.height > settings.max_pixels:
        raise ImageRefused(f"is too large: {size}, but at most {settings.max_pixels:,} pixels are taken in")
    return header


def _decode(data: bytes, header: Header) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(data), formats=[header.format])
        if image.size != (header.width, header.height):
            raise ImageRefused("is damaged: it declares two different sizes")
        image.load()
        return opaque_rgb(upright(image))
    except ImageRefused:
        raise
    except Exception as error:
        # Decoders meet hostile bytes with whatever is at hand: OSError, SyntaxError, struct.error, zlib.error, ...
        raise ImageRefused(f"is damaged or cut short: {str(error) or type(error).__name__}") from error


def _too_many_bytes(settings: MediaSettings) -> str:
    return f"is too large: more than {settings.max_bytes:,} bytes"


def pixel_hash(image: Image.Image) -> str:
    """The media id of a normalised RGB picture."""
    digest = hashlib.sha256(f"{image.width}x{image.height} RGB\n".encode())
    digest.update(image.tobytes())
    return digest.hexdigest()
