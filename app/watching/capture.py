"""The screen as it is now, and whether it changed."""

import io
import os
import sys
from types import TracebackType
from typing import Self

import numpy as np
from PIL import Image

from core.schema import NightshiftError

__all__ = ["Screen", "change_between", "png_of"]

LOOKED_AT = (160, 90)
"Pixels at which two screens are compared: a clock or a cursor is a few of them."
DIFFERS = 16
"Of 255 levels of grey."


class Screen:
    """One monitor of this machine; 1 is the first, 0 all of them side by side."""

    def __init__(self, monitor: int = 1) -> None:
        """Raises NightshiftError where there is no display, it cannot be looked at, or has no such monitor."""
        _require_display()
        import mss
        from mss.exception import ScreenShotError

        try:
            self._mss = mss.MSS()
            known = len(self._mss.monitors) - 1
        except (ScreenShotError, OSError) as error:
            raise NightshiftError(f"the screen cannot be looked at: {error}; is DISPLAY right?") from error
        if not 0 <= monitor <= known:
            self._mss.close()
            raise NightshiftError(f"there is no monitor {monitor}; there are 1 to {known}, and 0 is all of them")
        self._monitor = monitor

    def grab(self) -> Image.Image:
        """The pixels now, as RGB. Raises NightshiftError where the display went away."""
        from mss.exception import ScreenShotError

        try:
            shot = self._mss.grab(self._mss.monitors[self._monitor])
        except (ScreenShotError, OSError, IndexError) as error:
            raise NightshiftError(f"the screen cannot be looked at any more: {error}") from error
        return Image.frombytes("RGB", shot.size, shot.bgra, "raw", "BGRX")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._mss.close()


def change_between(before: Image.Image, after: Image.Image) -> float:
    """The share of the screen, 0..1, that is not as it was; 1 where its size changed."""
    if before.size != after.size:
        return 1.0
    one, other = (np.asarray(each.convert("L").resize(LOOKED_AT), dtype=np.int16) for each in (before, after))
    return float(np.mean(np.abs(one - other) > DIFFERS))


def png_of(image: Image.Image, longest_side: int) -> bytes:
    """The picture as it is sent: no larger than what would be kept of it."""
    smaller = image.copy()
    smaller.thumbnail((longest_side, longest_side))
    buffer = io.BytesIO()
    smaller.save(buffer, "PNG", compress_level=2)
    return buffer.getvalue()


def _require_display() -> None:
    if sys.platform in ("win32", "darwin"):
        return
    if os.environ.get("WAYLAND_DISPLAY") or os.environ.get("XDG_SESSION_TYPE") == "wayland":
        raise NightshiftError(
            "this is a Wayland session, which lets no program look at the whole screen; sign in with Xorg, or send "
            "screens of your own to the API"
        )
    if not os.environ.get("DISPLAY"):
        raise NightshiftError("there is no display here (DISPLAY is not set); watch from within a graphical session")
