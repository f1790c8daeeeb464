"""What a picture says of itself, read from its bytes without decoding it.

Only this much is trusted before the bounds are checked: some decoders allocate the whole canvas when they open a file.
Layouts: PNG (W3C PNG, third edition, sections 5 and 11), JPEG (ITU-T T.81, annex B), WebP (RFC 9649).
"""

import codecs
import mimetypes
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal, TypeAlias

from core.media.errors import ImageRefused

__all__ = ["Format", "Header", "check_name", "read_header"]

Format: TypeAlias = Literal["PNG", "JPEG", "WEBP"]

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
TYPES: dict[Format, str] = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
# Python's own table, not the system's, so that a name means the same everywhere.
SUFFIXES = mimetypes.MimeTypes().types_map[True] | {".webp": TYPES["WEBP"], ".jfif": TYPES["JPEG"]}
OTHER_FORMATS = {
    b"GIF8": "a GIF",
    b"BM": "a BMP",
    b"II*\x00": "a TIFF",
    b"MM\x00*": "a TIFF",
    b"%PDF": "a PDF",
    b"<svg": "an SVG",
    b"<?xml": "an SVG or another XML file",
    b"PK\x03\x04": "a ZIP archive or an office document",
}
CUT_SHORT = "is cut short"


@dataclass(frozen=True)
class Header:
    """Format and size in pixels, as declared."""

    format: Format
    width: int
    height: int
    animated: bool = False


def read_header(data: bytes) -> Header:
    """The header of a PNG, JPEG or WebP that is there to its end. Raises ImageRefused for anything else."""
    try:
        if data.startswith(PNG_SIGNATURE):
            return _png(data)
        if data.startswith(b"\xff\xd8"):
            return _jpeg(data)
        if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
            return _webp(data)
    except (struct.error, IndexError) as error:
        raise ImageRefused(CUT_SHORT) from error
    raise ImageRefused(f"is {_what_else(data)}; only PNG, JPEG and WebP are taken in")


def check_name(name: str, found: Format) -> None:
    """Raises ImageRefused where the suffix of a file's name says another format than its content."""
    suffix = PurePath(name).suffix.lower()
    if SUFFIXES.get(suffix, TYPES[found]) not in (TYPES[found], "application/octet-stream"):
        raise ImageRefused(f"is wrongly named: {suffix}, but {found} inside")


def _what_else(data: bytes) -> str:
    if data[4:8] == b"ftyp":
        return "a HEIC, AVIF or video file"
    for start, what in OTHER_FORMATS.items():
        if data.startswith(start):
            return what
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(data[:512])
    except UnicodeDecodeError:
        return "no picture"
    return "a text file" if all(sign.isprintable() or sign.isspace() for sign in text) else "no picture"


def _png(data: bytes) -> Header:
    width = height = 0
    animated = False
    for kind, body in _png_chunks(data):
        if kind == b"IHDR":
            width, height = struct.unpack(">II", body[:8])
        elif kind == b"acTL":
            animated = struct.unpack(">I", body[:4])[0] > 1
        elif kind == b"IEND":
            return Header("PNG", width, height, animated)
    raise ImageRefused(CUT_SHORT)


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    view, position = memoryview(data), len(PNG_SIGNATURE)
    while position < len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 8 + length
        if end + 4 > len(data):
            raise ImageRefused(CUT_SHORT)
        # Decoders let damage pass in chunks they need not read; in the others it would change the picture.
        is_critical = kind[:1].isupper()
        if is_critical and zlib.crc32(view[position + 4 : end]) != struct.unpack_from(">I", data, end)[0]:
            raise ImageRefused("is damaged: a checksum does not match")
        yield kind, view[position + 8 : end]
        position = end + 4


def _jpeg(data: bytes) -> Header:
    position, size = 2, None
    while True:
        if data[position] != 0xFF:
            raise ImageRefused("is damaged: there is no JPEG segment where one should be")
        marker = data[position + 1]
        if marker == 0xFF:
            position += 1
            continue
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:
            position += 2
            continue
        if marker in (0xD9, 0xDA):
            break
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", data, position + 5)
            size = width, height
        position += 2 + struct.unpack_from(">H", data, position + 2)[0]
    if size is None:
        raise ImageRefused("is damaged: it declares no size")
    if data.rfind(b"\xff\xd9") < position:
        raise ImageRefused(CUT_SHORT)
    return Header("JPEG", *size)


def _webp(data: bytes) -> Header:
    (length,) = struct.unpack_from("<I", data, 4)
    if len(data) < 8 + length:
        raise ImageRefused(CUT_SHORT)
    kind = data[12:16]
    if kind == b"VP8X":
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
        return Header("WEBP", width, height, animated=bool(data[20] & 0x02))
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return Header("WEBP", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return Header("WEBP", width & 0x3FFF, height & 0x3FFF)
    raise ImageRefused("is damaged: a WebP without a picture in it")
