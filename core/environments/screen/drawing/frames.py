"""What surrounds an application: a browser, a window of a desktop, a phone."""

from collections.abc import Sequence

from core.environments.screen.drawing.canvas import Box, Canvas, inset, left, mix, top

__all__ = ["framed"]


def framed(canvas: Canvas, frame: str, title: str, detail: Sequence[str]) -> Box:
    """Draws `frame` and returns the box inside. `detail`: a browser's address and other tabs, a window's menu."""
    return {"browser": _browser, "window": _window, "phone": _phone}[frame](canvas, title, detail)


def _browser(canvas: Canvas, title: str, detail: Sequence[str]) -> Box:
    address, *other_tabs = detail
    strip, rest = top(canvas.box, 42)
    toolbar, rest = top(rest, 44)
    canvas.rect(strip, "#d5d9e0")
    canvas.rect(toolbar, "#f6f7f9")
    for i, name in enumerate([title, *other_tabs]):
        tab, strip = left(strip, 250)
        if i == 0:
            canvas.rect((*inset(tab, 6, 6)[:3], tab[3] + 2), "#f6f7f9", radius=8)
        canvas.ellipse(
            (tab[0] + 18, tab[1] + 15, tab[0] + 32, tab[1] + 29), canvas.theme.accent if i == 0 else "#98a2b3"
        )
        canvas.text(tab[0] + 42, (tab[1] + tab[3]) / 2, name, 15, "#30343b", anchor="lm", width=180)
        canvas.text(tab[2] - 18, (tab[1] + tab[3]) / 2, "x", 14, "#6b7280", anchor="mm")
    y = (toolbar[1] + toolbar[3]) / 2
    for x, way in ((24, -1), (58, 1)):
        canvas.line([(x - 4 * way, y - 7), (x + 4 * way, y), (x - 4 * way, y + 7)], "#5b6270", 2)
    canvas.rect((90, toolbar[1] + 6, toolbar[2] - 60, toolbar[3] - 6), "#e7eaef", radius=16)
    canvas.text(110, y, address, 16, "#4b5563", anchor="lm")
    for dy in (-6, 0, 6):
        canvas.ellipse((toolbar[2] - 32, y + dy - 2, toolbar[2] - 28, y + dy + 2), "#5b6270")
    return rest


def _window(canvas: Canvas, title: str, detail: Sequence[str]) -> Box:
    bar, rest = top(canvas.box, 36)
    canvas.rect(bar, mix(canvas.theme.bar, canvas.theme.text, 0.08))
    for i, color in enumerate(("#ec6a5e", "#f4bf4f", "#61c554")):
        canvas.ellipse((16 + 24 * i, 11, 30 + 24 * i, 25), color)
    canvas.label(bar, title, 16)
    if not detail:
        return rest
    menu, rest = top(rest, 30)
    canvas.rect(menu, canvas.theme.bar)
    x = 16.0
    for entry in detail:
        canvas.text(x, (menu[1] + menu[3]) / 2, entry, 15, anchor="lm")
        x += canvas.width_of(entry, 15) + 24
    return rest


def _phone(canvas: Canvas, title: str, detail: Sequence[str]) -> Box:
    status, rest = top(canvas.box, 40)
    clock, network = detail
    canvas.text(24, 20, clock, 17, anchor="lm", bold=True)
    x = status[2] - 24
    canvas.rect((x - 30, 13, x, 27), radius=3, outline=canvas.theme.text)
    canvas.rect((x - 27, 16, x - 9, 24), canvas.theme.text)
    canvas.text(x - 42, 20, network, 16, anchor="rm")
    head, rest = top(rest, 56)
    canvas.text(24, (head[1] + head[3]) / 2, title, 26, bold=True, anchor="lm")
    canvas.line([(0, head[3]), (head[2], head[3])])
    return rest
