"""From a flat scene to a photo: another angle, another light, a little noise."""

from random import Random

import cv2
import numpy as np
from PIL import Image

__all__ = ["photographed"]

TILT = 0.07
"Of the side, how far a corner moves at most."


def photographed(scene: Image.Image, rng: Random) -> Image.Image:
    """The scene as a hand-held camera sees it; all of it stays in the picture. Follows from `rng` alone."""
    pixels_HW3 = np.asarray(scene)
    side = scene.width
    corners_42 = np.array([(0, 0), (side, 0), (side, side), (0, side)], dtype=np.float32)
    inward_42 = np.array([(1, 1), (-1, 1), (-1, -1), (1, -1)], dtype=np.float32)
    moved_42 = corners_42 + inward_42 * np.array(
        [[rng.uniform(0, TILT) * side for _ in range(2)] for _ in range(4)], dtype=np.float32
    )
    wall = tuple(rng.randrange(90, 150) for _ in range(3))
    tilted_HW3 = cv2.warpPerspective(
        pixels_HW3, cv2.getPerspectiveTransform(corners_42, moved_42), (side, side), borderValue=wall
    )
    return Image.fromarray(_lit(tilted_HW3.astype(np.float32), rng))


def _lit(pixels_HW3: "np.ndarray", rng: Random) -> "np.ndarray":
    """Brighter or darker, with light from one side, a tint, and noise."""
    side = pixels_HW3.shape[0]
    slope = np.linspace(-1, 1, side, dtype=np.float32) * rng.uniform(-0.15, 0.15)
    light_HW = rng.uniform(0.75, 1.15) + (slope[None, :] if rng.random() < 0.5 else slope[:, None])
    tint_3 = np.array([rng.uniform(0.93, 1.07) for _ in range(3)], dtype=np.float32)
    noise_HW3 = np.random.default_rng(rng.randrange(2**32)).normal(0, 5, pixels_HW3.shape)
    return np.clip(pixels_HW3 * light_HW[..., None] * tint_3 + noise_HW3, 0, 255).astype(np.uint8)
