"""What files hold, and that it outlives a power cut."""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["sha256_of", "whole_lines", "write_through"]


def sha256_of(path: Path) -> str:
    """Hex digest of a file's bytes. Raises OSError where it cannot be read."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_through(path: Path) -> None:
    """Writes a file, or a folder's entries, through to disk: without it a rename may be lost with the power."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def whole_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a file of one JSON object a line, up to a line that a kill cut off; none without a file."""
    if not path.exists():
        return
    for line in path.read_text().splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            return
