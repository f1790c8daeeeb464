"""Pictures that fill photographs' places: landscapes, towns, lights and people, made of noise and gradients."""

import base64
import io
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

__all__ = ["PICTURES", "PORTRAITS", "picture", "portrait"]

WIDTH, HEIGHT = 512, 320
PICTURES, PORTRAITS = 32, 8
Pixels = NDArray[np.float32]


@cache
def picture(number: int) -> str:
    """One of PICTURES pictures, as a data URI; the same number gives the same bytes."""
    rng = np.random.default_rng(number)
    made = (_mountains, _sea, _town, _lights)[number % 4](rng)
    return _data_uri(made)


@cache
def portrait(number: int) -> str:
    """One of PORTRAITS people before a wall, as a camera of a meeting shows them."""
    rng = np.random.default_rng(1000 + number)
    image = _as_image(_sky(rng.uniform(70, 200, 3), rng.uniform(90, 190, 3)))
    draw = ImageDraw.Draw(image)
    skin = tuple(int(each) for each in np.array([232, 190, 160]) * rng.uniform(0.45, 1.0))
    hair = tuple(int(each) for each in rng.uniform(20, 120, 3))
    coat = tuple(int(each) for each in rng.uniform(30, 200, 3))
    x, size = WIDTH // 2 + int(rng.integers(-30, 30)), int(rng.integers(62, 80))
    draw.rounded_rectangle((x - 2 * size, 245, x + 2 * size, 420), 90, fill=coat)
    draw.rectangle((x - size // 3, 190, x + size // 3, 262), fill=skin)
    draw.ellipse((x - size, 68, x + size, 100 + 2 * size), fill=hair)
    draw.ellipse((x - size * 0.8, 96, x + size * 0.8, 96 + size * 2), fill=skin)
    for side in (-1, 1):
        draw.ellipse((x + side * size * 0.35 - 6, 160, x + side * size * 0.35 + 6, 171), fill=(30, 26, 24))
    draw.arc((x - 22, 172, x + 22, 212), 20, 160, fill=(120, 50, 50), width=4)
    return _data_uri(_grain(np.asarray(image.filter(ImageFilter.GaussianBlur(2.2)), dtype=np.float32), rng))


def _sky(top: NDArray[np.floating], bottom: NDArray[np.floating]) -> Pixels:
    down_H = np.linspace(0, 1, HEIGHT, dtype=np.float32)[:, None, None]
    return np.broadcast_to((1 - down_H) * top + down_H * bottom, (HEIGHT, WIDTH, 3)).astype(np.float32)


def _ridge(rng: np.random.Generator, rough: float) -> NDArray[np.float64]:
    """A line of hills, 0..1 across the width: waves of ever smaller length."""
    across = np.linspace(0, 2 * np.pi, WIDTH)
    waves = [np.sin(across * k * rng.uniform(0.7, 1.3) + rng.uniform(0, 6.3)) / k**rough for k in range(1, 40)]
    line = np.sum(waves, axis=0)
    return (line - line.min()) / (np.ptp(line) or 1)


def _mountains(rng: np.random.Generator) -> Pixels:
    pixels = _sky(rng.uniform((70, 120, 180), (140, 180, 240)), rng.uniform((220, 190, 160), (255, 230, 220)))
    base = rng.uniform((20, 50, 40), (70, 100, 90))
    rows_H = np.arange(HEIGHT)[:, None]
    for layer in range(5):
        horizon = HEIGHT * (0.35 + 0.13 * layer) - _ridge(rng, 1.1 + 0.1 * layer) * HEIGHT * 0.26
        haze = 0.75 - 0.17 * layer
        pixels[rows_H > horizon[None, :]] = base * (1 - haze) + pixels[0, 0] * haze
    return _grain(pixels, rng)


def _sea(rng: np.random.Generator) -> Pixels:
    pixels = _sky(rng.uniform((40, 60, 120), (120, 150, 220)), rng.uniform((240, 140, 80), (255, 200, 150)))
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    sun_x, sun_y = rng.uniform(0.2, 0.8) * WIDTH, HEIGHT * rng.uniform(0.3, 0.5)
    glow = np.exp(-((x - sun_x) ** 2 + (y - sun_y) ** 2) / rng.uniform(1500, 5000))[..., None]
    pixels = pixels * (1 - glow) + np.array([255, 246, 210]) * glow
    horizon = int(HEIGHT * 0.55)
    waves = 12 * np.sin(y[horizon:] ** 1.3 / 3 + 3 * np.sin(x[horizon:] / 23)) + rng.normal(0, 9, y[horizon:].shape)
    mirrored = pixels[horizon - (HEIGHT - horizon) : horizon][::-1]
    pixels[horizon:] = mirrored * 0.55 + np.array([10, 40, 70]) + waves[..., None]
    return _grain(pixels.astype(np.float32), rng)


def _town(rng: np.random.Generator) -> Pixels:
    image = _as_image(_sky(rng.uniform((10, 14, 40), (60, 60, 110)), rng.uniform((90, 60, 90), (230, 150, 120))))
    draw = ImageDraw.Draw(image)
    for depth in range(3):
        x = -20
        while x < WIDTH:
            wide, high = int(rng.integers(26, 74)), int(rng.integers(70, 230 - 40 * depth))
            wall = tuple(int(each) for each in np.array([58, 58, 76]) * (0.95 - 0.27 * depth))
            draw.rectangle((x, HEIGHT - high, x + wide, HEIGHT), fill=wall)
            for left in range(x + 5, x + wide - 6, 9):
                for top in range(HEIGHT - high + 7, HEIGHT - 4, 13):
                    if rng.random() < 0.45:
                        draw.rectangle((left, top, left + 4, top + 6), fill=(255, int(rng.integers(190, 236)), 130))
            x += wide + int(rng.integers(0, 9))
    return _grain(np.asarray(image, dtype=np.float32), rng)


def _lights(rng: np.random.Generator) -> Pixels:
    image = _as_image(_sky(rng.uniform(20, 90, 3), rng.uniform(40, 160, 3)))
    for blur in (14, 7, 2):
        layer = Image.new("RGB", image.size)
        draw = ImageDraw.Draw(layer)
        for _ in range(16):
            x, y, r = int(rng.integers(0, WIDTH)), int(rng.integers(0, HEIGHT)), int(rng.integers(9, 46))
            draw.ellipse((x - r, y - r, x + r, y + r), fill=tuple(int(each) for each in rng.uniform(30, 190, 3)))
        soft = np.asarray(layer.filter(ImageFilter.GaussianBlur(blur)), dtype=np.float32)
        image = _as_image(np.asarray(image, dtype=np.float32) * 0.85 + soft * 0.6)
    return _grain(np.asarray(image, dtype=np.float32), rng)


def _grain(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """What a sensor adds: no two neighbours in a photograph are quite alike."""
    return (pixels + rng.normal(0, 4, (HEIGHT, WIDTH, 1))).astype(np.float32)


def _as_image(pixels: Pixels) -> Image.Image:
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _data_uri(pixels: Pixels) -> str:
    buffer = io.BytesIO()
    _as_image(pixels).save(buffer, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
