"""The one form in which pictures are kept: upright, opaque, 8-bit RGB, no larger than a bound, as PNG."""

import io
from contextlib import suppress

import numpy as np
from PIL import ExifTags, Image

from core.media.errors import BlobDamaged

__all__ = ["bounded", "encode", "opaque_rgb", "open_image", "upright"]

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"By the Exif orientation tag (Exif 2.32, section 4.6.4 A)."


def upright(image: Image.Image) -> Image.Image:
    """The picture turned as its Exif orientation says; as it is where that cannot be read."""
    orientation = None
    # Cameras and editors write broken Exif; the picture is good all the same.
    with suppress(Exception):
        orientation = image.getexif().get(ExifTags.Base.Orientation)
    turn = TURNS.get(orientation) if isinstance(orientation, int) else None
    return image if turn is None else image.transpose(turn)


def opaque_rgb(image: Image.Image) -> Image.Image:
    """The picture in RGB, what is transparent replaced by white. Colour profiles are ignored."""
    if image.mode.startswith("I;16"):
        return _from_16_bit_grey(image)
    if not image.has_transparency_data:
        return image.convert("RGB")
    layer = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")


def _from_16_bit_grey(image: Image.Image) -> Image.Image:
    # Pillow would clip to 255, which turns nearly everything white.
    grey = np.asarray(image).astype(np.uint16)
    shown = (grey >> 8).astype(np.uint8)
    transparent = image.info.get("transparency")
    if transparent is not None:
        shown[grey == transparent] = 255
    return Image.fromarray(shown).convert("RGB")


def bounded(image: Image.Image, max_side: int) -> Image.Image:
    """The picture scaled down so that its longer side is at most `max_side` pixels."""
    longer = max(image.size)
    if longer <= max_side:
        return image
    width, height = (max(1, round(side * max_side / longer)) for side in image.size)
    return image.resize((width, height), Image.Resampling.LANCZOS)


def encode(image: Image.Image) -> bytes:
    """The pixels of an RGB picture as PNG, without anything else."""
    bare = Image.frombytes("RGB", image.size, image.tobytes())
    out = io.BytesIO()
    # Beyond level 3 a screenshot takes much longer and hardly gets smaller.
    bare.save(out, "PNG", compress_level=3)
    return out.getvalue()


def open_image(data: bytes) -> Image.Image:
    """The RGB picture in a stored blob, decoded. Raises BlobDamaged where it is none."""
    try:
        image = Image.open(io.BytesIO(data), formats=["PNG"])
        return image.convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise BlobDamaged(f"a stored picture cannot be decoded: {error}") from error
