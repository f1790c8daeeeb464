"""Small drawings that pages are furnished with, as SVG: icons, charts, a map; and code in colours."""

import re
import tomllib
from collections.abc import Sequence
from random import Random

from markupsafe import Markup, escape

from core.environments.screen.rendering.catalogue import TEMPLATES

__all__ = ["bars", "highlighted", "icon", "line_chart", "streets"]

ICONS: dict[str, str] = tomllib.loads((TEMPLATES / "shells" / "icons.toml").read_text(encoding="utf-8"))
KEYWORDS = (
    "class|def|return|raise|if|for|in|from|import|export|const|let|private|new|of"
    "|SELECT|JOIN|ASOF|USING|CREATE|INDEX|ON"
)
TOKENS = re.compile(rf"(?P<c>(#|//).*$)|(?P<s>\"[^\"]*\"+)|(?P<k>\b(?:{KEYWORDS})\b)|(?P<n>\b\d[\d.]*\b)")
COLOURS = {"c": "var(--comment)", "s": "var(--string)", "k": "var(--keyword)", "n": "var(--figure)"}


def icon(name: str, filled: bool = False) -> Markup:
    """An icon by its name."""
    return Markup(f'<svg class="icon{" fill" if filled else ""}" viewBox="0 0 24 24">{ICONS[name]}</svg>')


def highlighted(line: str) -> Markup:
    """A line of code in the colours of its words."""
    parts, end = [], 0
    for found in TOKENS.finditer(line):
        parts.append(escape(line[end : found.start()]))
        parts.append(Markup('<span style="color:{}">{}</span>').format(COLOURS[str(found.lastgroup)], found[0]))
        end = found.end()
    return Markup("").join([*parts, escape(line[end:])])


def bars(rng: Random, width: int, height: int) -> Markup:
    """A bar chart without words."""
    step = width / 7
    drawn = "".join(
        f'<rect x="{i * step + step * 0.2:.1f}" y="{height - tall:.1f}" width="{step * 0.6:.1f}" height="{tall:.1f}" '
        f'rx="3" fill="var(--accent)" opacity="{0.55 + 0.06 * i:.2f}"/>'
        for i, tall in enumerate(rng.uniform(0.25, 0.95) * height for _ in range(7))
    )
    return Markup(
        f'<svg viewBox="0 0 {width} {height}" style="width:100%;max-width:{width}px;height:{height}px">{drawn}</svg>'
    )


def line_chart(rng: Random, width: int, height: int) -> Markup:
    """Two lines over a grid, with the scale at the left."""
    top = rng.choice((50, 100, 400, 1000))
    rules = "".join(
        f'<path d="M44 {y:.0f}H{width}" stroke="var(--line)"/><text x="36" y="{y + 4:.0f}" text-anchor="end" '
        f'font-size="11" fill="var(--muted)">{top * (4 - i) // 4}</text>'
        for i, y in enumerate(10 + i * (height - 24) / 4 for i in range(5))
    )
    lines = ""
    for colour in ("var(--accent)", "#e39b2d"):
        level, points = rng.uniform(0.3, 0.6), []
        for i in range(24):
            level = min(0.95, max(0.06, level + rng.uniform(-0.13, 0.14)))
            points.append(f"{48 + i * (width - 56) / 23:.1f},{10 + (1 - level) * (height - 24):.1f}")
        lines += f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}" stroke-width="2.5"/>'
    return Markup(
        f'<svg viewBox="0 0 {width} {height}" style="width:100%;height:auto;max-height:100%">{rules}{lines}</svg>'
    )


def streets(rng: Random, stops: Sequence[str]) -> Markup:
    """A town's map with a route through its stops."""
    parts = [
        f'<ellipse cx="{rng.randint(0, 1000)}" cy="{rng.randint(0, 700)}" rx="{rng.randint(50, 150)}" '
        f'ry="{rng.randint(40, 110)}" fill="#bfe0b4"/>'
        for _ in range(7)
    ]
    parts.append(
        '<path d="M-20 540C250 420 420 640 640 500S900 430 1030 330" stroke="#a6cdee" stroke-width="44" fill="none"/>'
    )
    for at in range(-400, 1500, 62):
        lean, wide = rng.randint(-120, 120), rng.choice((5, 7, 7, 13))
        tint = "#fbe9a9" if wide > 10 else "#ffffff"
        parts.append(f'<path d="M{at} -10L{at + lean} 720" stroke="{tint}" stroke-width="{wide}"/>')
        parts.append(f'<path d="M-10 {at}L1010 {at + lean // 2}" stroke="{tint}" stroke-width="{wide}"/>')
    places = [(rng.randint(120, 880), 70 + i * 560 // max(1, len(stops) - 1)) for i in range(len(stops))]
    route = " ".join(f"{'ML'[i > 0]}{x} {y}" for i, (x, y) in enumerate(places))
    parts.append(f'<path d="{route}" stroke="#2b6fe0" stroke-width="8" fill="none" stroke-linejoin="round"/>')
    for (x, y), name in zip(places, stops, strict=True):
        parts.append(f'<circle cx="{x}" cy="{y}" r="11" fill="#d93636" stroke="#fff" stroke-width="3"/>')
        parts.append(f'<text x="{x + 17}" y="{y + 5}" font-size="17" fill="#26303a">{escape(name)}</text>')
    return Markup(
        '<svg viewBox="0 0 1000 700" preserveAspectRatio="xMidYMid slice" '
        'style="width:100%;height:100%;position:absolute">'
        f"{''.join(parts)}</svg>"
    )
