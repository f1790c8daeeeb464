"""From a scene to the page that is rendered: HTML that needs nothing from anywhere else."""

import colorsys
import hashlib
from collections.abc import Callable
from datetime import date, timedelta
from functools import lru_cache, partial
from pathlib import Path
from random import Random
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup

from core.environments.screen.rendering import ink
from core.environments.screen.rendering.catalogue import TEMPLATES, Catalogue
from core.environments.screen.rendering.pictures import PICTURES, PORTRAITS, picture, portrait
from core.environments.screen.rendering.scene import Scene, Window
from core.schema import NightshiftError

__all__ = ["html_of"]

FONTS = (
    '"Segoe UI", "Noto Sans", "DejaVu Sans Condensed", sans-serif',
    '"Inter", "Roboto", "DejaVu Sans", sans-serif',
    '"Cantarell", "Ubuntu", "DejaVu Sans Condensed", sans-serif',
)
LIGHT = {
    "page": "#ffffff", "surface": "#ffffff", "bar": "#f4f5f7", "well": "#eceef2", "line": "#dcdfe5",
    "ink": "#1f2328", "muted": "#68707b", "soft": "#e4ebf7", "edge": "#b9bec7", "shell": "#e3e7ee",
    "shell-ink": "#20242b", "comment": "#6f7b6c", "string": "#a4423a", "keyword": "#7a3fb0", "figure": "#0f6b8f",
}  # fmt: skip
DARK = {
    "page": "#1c1e22", "surface": "#26292f", "bar": "#24262b", "well": "#15171a", "line": "#383c44",
    "ink": "#e6e8ec", "muted": "#9aa2ae", "soft": "#333a48", "edge": "#4a4f59", "shell": "#17181c",
    "shell-ink": "#e2e5ea", "comment": "#7f8c7a", "string": "#e0a283", "keyword": "#c191ef", "figure": "#8cc7e6",
}  # fmt: skip
FIRST_DAY = date(2031, 1, 6)


def html_of(scene: Scene, catalogue: Catalogue) -> str:
    """The page of a scene. Raises NightshiftError where a layout of the user's own cannot be filled in."""
    environment = _templates(catalogue.folders)
    context = _context(scene, catalogue)

    def body(window: Window) -> Markup:
        own = {**context, "m": window.matter, "window_app": window.app, "m_accent": window.app.accent}
        try:
            return Markup(environment.get_template(f"layouts/{window.app.layout}.html").render(own))
        except (TemplateError, TypeError, LookupError) as error:
            raise NightshiftError(
                f"layouts/{window.app.layout}.html cannot show {window.app.name!r}: {error}"
            ) from error

    return environment.get_template("shells/page.html").render(context, body=body)


@lru_cache(maxsize=4)
def _templates(folders: tuple[Path, ...]) -> SandboxedEnvironment:
    return SandboxedEnvironment(
        loader=FileSystemLoader(folders), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )


@lru_cache(maxsize=1)
def _css() -> Markup:
    return Markup((TEMPLATES / "screen.css").read_text(encoding="utf-8"))


def _context(scene: Scene, catalogue: Catalogue) -> dict[str, Any]:
    """What templates can ask for."""
    rng = Random(f"{scene.seed}/page")
    words = catalogue.words[scene.language]
    colours = _theme(scene, rng)
    wallpaper = _wallpaper(rng)
    day = FIRST_DAY + timedelta(days=rng.randrange(700))
    return {
        "scene": scene,
        "css": _css(),
        "variables": Markup(";".join(f"--{name}:{value}" for name, value in colours.items())),
        "wallpaper": Markup(wallpaper),
        "w": words,
        "front": scene.front,
        "narrow": scene.kind == "phone",
        "dock": rng.sample(catalogue.applications, min(7, len(catalogue.applications))),
        "clock": f"{rng.randint(8, 18)}:{rng.randint(0, 59):02d}",
        "code_colours": "--accent:#4459c9;--on-accent:#fff",
        "terminal_ground": rng.choice(("#16181d", "#0f1a22", "#2b0a26", "#1e1e1e")),
        "game_ground": rng.choice(("#1d3a4c", "#3b1d4c", "#1d4c36", "#4c2a1d")),
        "map_ground": "#eae6dc",
        "prompt": "ops@host" if scene.shell != "mac" else "ops@studio",
        "cell": min(58, (scene.front.height - 260) // 8),
        "start_line": rng.randint(1, 240),
        "icon": ink.icon,
        "highlighted": ink.highlighted,
        **_at_random(rng, words.people, day),
    }


def _at_random(rng: Random, people: list[str], day: date) -> dict[str, Callable[..., Any]]:
    """Functions that give something else at each call, and the same for the same scene."""
    seen = list(range(PICTURES))
    rng.shuffle(seen)
    return {
        "number": rng.randint,
        "amount": lambda low, high: f"{rng.randint(low, high):,}".replace(",", "."),
        "chance": lambda share: rng.random() < share,
        "person": lambda: rng.choice(people),
        "time": lambda: f"{rng.randint(7, 18):02d}:{rng.randint(0, 59):02d}",
        "stamp": lambda: f"{rng.randint(7, 9):02d}:{rng.randint(0, 59):02d}:{rng.randint(0, 59):02d}",
        "day": lambda: f"{day:%d.%m.%Y}",
        "date": lambda: f"{day - timedelta(days=rng.randrange(60)):%d.%m.%Y}",
        "initials": lambda name: "".join(part[0] for part in name.split()[:2]).upper(),
        "colour": _colour_of,
        "gem": lambda: rng.choice(("#e2483d", "#3f8de0", "#46b35c", "#e8b730", "#9c56d6", "#e88a3a")),
        "picture": lambda: Markup(picture(_next(seen))),
        "portrait": lambda: Markup(portrait(rng.randrange(PORTRAITS))),
        "bars": partial(ink.bars, rng),
        "line_chart": partial(ink.line_chart, rng),
        "streets": partial(ink.streets, rng),
    }


def _next(ring: list[int]) -> int:
    ring.append(ring.pop(0))
    return ring[-1]


def _theme(scene: Scene, rng: Random) -> dict[str, str]:
    colours = dict(DARK if scene.theme == "dark" else LIGHT)
    accent = scene.front.app.accent if rng.random() < 0.7 else _tint(rng.random(), 0.42, 0.6)
    tinted = scene.kind == "phone" and rng.random() < 0.4
    return {
        **colours,
        "accent": accent,
        "on-accent": "#ffffff",
        "head": accent if tinted else colours["bar"],
        "head-ink": "#ffffff" if tinted else colours["ink"],
        "round": f"{rng.choice((2, 4, 6, 8))}px",
        "corner": f"{rng.choice((0, 6, 10))}px",
        "font": rng.choice(FONTS),
    }


def _wallpaper(rng: Random) -> str:
    if rng.random() < 0.5:
        return f"url({picture(rng.randrange(PICTURES))})"
    hue = rng.random()
    one, other = _tint(hue, 0.3, 0.5), _tint(hue + rng.uniform(0.08, 0.3), 0.55, 0.5)
    return f"linear-gradient({rng.randint(20, 160)}deg, {one}, {other})"


def _colour_of(name: str) -> str:
    """The same colour for the same name, in any run."""
    return _tint(hashlib.sha256(name.encode()).digest()[0] / 256, 0.42, 0.45)


def _tint(hue: float, lightness: float, saturation: float) -> str:
    red, green, blue = colorsys.hls_to_rgb(hue % 1, lightness, saturation)
    return f"#{int(red * 255):02x}{int(green * 255):02x}{int(blue * 255):02x}"
