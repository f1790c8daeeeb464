"""Pictures to take in, drawn or put together byte by byte."""

import io
import struct
import zlib

import numpy as np
from PIL import Image


def drawing(width: int = 64, height: int = 48) -> Image.Image:
    """Four quarters of different colours, so that a turn or a mirror shows."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] = (200, 30, 30)
    pixels[: height // 2, width // 2 :] = (30, 200, 30)
    pixels[height // 2 :, : width // 2] = (30, 30, 200)
    pixels[height // 2 :, width // 2 :] = (240, 240, 240)
    return Image.fromarray(pixels)


def saved(image: Image.Image, format: str = "PNG", **options) -> bytes:
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def animation(format: str) -> bytes:
    frames = [drawing(), drawing().rotate(90)]
    return saved(frames[0], format, save_all=True, append_images=frames[1:], duration=100)


def png(width: int, height: int, *, depth: int = 8, colour: int = 2, rows: bytes = b"", chunks: bytes = b"") -> bytes:
    """A PNG with any header, whatever its rows hold."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = chunk(b"IHDR", header), chunks, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def webp_header(width: int, height: int) -> bytes:
    """An extended WebP that declares a canvas and holds nothing."""
    body = b"VP8X" + struct.pack("<I", 10) + bytes(4) + (width - 1).to_bytes(3, "little")
    body += (height - 1).to_bytes(3, "little")
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def jpeg_header(width: int, height: int) -> bytes:
    """A JPEG that declares a size and holds nothing."""
    frame = struct.pack(">BHHB", 8, height, width, 3) + bytes([1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0])
    scan = bytes([3, 1, 0, 2, 0, 3, 0, 0, 63, 0])
    segments = (0xC0, frame), (0xDA, scan)
    return b"\xff\xd8" + b"".join(struct.pack(">BBH", 0xFF, m, len(b) + 2) + b for m, b in segments) + b"\x00\xff\xd9"
