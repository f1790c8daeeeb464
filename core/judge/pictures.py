"""Pictures as chat servers take them: encoded once, however many orders, questions and tries they are sent in."""

import asyncio
import base64
import io
import math
from collections import OrderedDict

from core.policy import Library

__all__ = ["Pictures"]

KEPT = 256
QUALITY = 92


class Pictures:
    """Data URLs of JPEG pictures with at most `max_pixels` pixels; the last ones used are kept."""

    def __init__(self, library: Library, max_pixels: int) -> None:
        self._library, self._max_pixels = library, max_pixels
        self._made: OrderedDict[str, asyncio.Task[str]] = OrderedDict()

    async def url(self, media: str) -> str:
        """Raises NightshiftError where the picture is gone."""
        if media not in self._made:
            self._made[media] = asyncio.create_task(asyncio.to_thread(self._encoded, media))
        self._made.move_to_end(media)
        while len(self._made) > KEPT:
            self._made.popitem(last=False)
        # Whoever waits may be cancelled; others wait for the same picture.
        return await asyncio.shield(self._made[media])

    def _encoded(self, media: str) -> str:
        image = self._library.image(media).convert("RGB")
        scale = math.sqrt(self._max_pixels / (image.width * image.height))
        if scale < 1:
            image = image.resize((max(1, int(image.width * scale)), max(1, int(image.height * scale))))
        file = io.BytesIO()
        # Small coloured text does not survive chroma subsampling.
        image.save(file, "JPEG", quality=QUALITY, subsampling=0)
        return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"
