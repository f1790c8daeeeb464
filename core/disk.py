"""What files hold, and that it outlives a power cut."""

import hashlib
import os
from pathlib import Path

__all__ = ["sha256_of", "write_through"]


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
