"""Where things are built and watched over: code editor, terminal, task board, dashboard."""

from random import Random
from typing import Any

from core.environments.screen.drawing.canvas import Box, Canvas, columns, inset, left, mix, right, rows, top

__all__ = ["WORKSHOP"]


def code_editor(canvas: Canvas, box: Box, content: dict[str, Any], rng: Random) -> None:
    theme = canvas.theme
    body, status = top(box, -28)
    files, body = left(body, 240)
    canvas.rect(files, theme.bar)
    canvas.menu(inset(files, 0, 8), content["files"], step=32, active=content["open"])
    tabs, body = top(body, 40)
    canvas.rect(tabs, theme.bar)
    for i, name in enumerate(content["tabs"]):
        tab, tabs = left(tabs, 190)
        canvas.rect(tab, theme.page if i == 0 else theme.bar)
        canvas.label(tab, name, 16, theme.text if i == 0 else theme.muted)
    code, terminal = top(body, -152)
    first = rng.randrange(1, 60)
    for i, (row, line) in enumerate(zip(rows(inset(code, 0, 8), 25), content["code"].split("\n"), strict=False)):
        canvas.text(row[0] + 48, row[1] + 2, str(first + i), 16, theme.muted, anchor="ra")
        canvas.code(row[0] + 70, row[1] + 2, line)
    _panel(canvas, terminal, content["panel"], content["output"])
    canvas.rect(status, theme.accent)
    canvas.text(16, (status[1] + status[3]) / 2, content["status"], 15, "#0d1512", anchor="lm")
    place = f"Ln {first + rng.randrange(8, 14)}, Col {rng.randrange(5, 60)}    UTF-8    Python 3.12"
    canvas.text(status[2] - 16, (status[1] + status[3]) / 2, place, 15, "#0d1512", anchor="rm")


def _panel(canvas: Canvas, box: Box, names: list[str], lines: list[str]) -> None:
    canvas.rect(box, canvas.theme.surface)
    canvas.line([(box[0], box[1]), (box[2], box[1])])
    x = box[0] + 20
    for i, name in enumerate(names):
        canvas.text(x, box[1] + 10, name, 15, canvas.theme.text if i == 0 else canvas.theme.muted)
        x += canvas.width_of(name, 15) + 28
    for row, line in zip(rows((box[0] + 20, box[1] + 40, box[2], box[3]), 26), lines, strict=False):
        canvas.text(row[0], row[1], line, 16, "#f2777a" if "FAILED" in line or "Error" in line else None)


def terminal(canvas: Canvas, box: Box, content: dict[str, Any], rng: Random) -> None:
    start = rng.randrange(600, 2400)
    for i, (row, line) in enumerate(zip(rows(inset(box, 22, 14), 27), content["lines"], strict=False)):
        minutes, seconds = divmod(start + 23 * i, 60)
        line = line.replace("{time}", f"09:{minutes:02d}:{seconds:02d}")
        x = row[0]
        if line.startswith(content["prompt"]):
            canvas.text(x, row[1], content["prompt"], 18, canvas.theme.accent)
            x += canvas.width_of(content["prompt"], 18)
            line = line.removeprefix(content["prompt"])
        warns = any(word in line for word in ("failed", "error", "deferred", "timed out"))
        canvas.text(x, row[1], line, 18, "#f0a35e" if warns else None)


def kanban(canvas: Canvas, box: Box, content: dict[str, Any], rng: Random) -> None:
    theme = canvas.theme
    head, body = top(box, 64)
    canvas.rect(head, theme.accent)
    canvas.text(24, head[1] + 32, content["board"], 24, "#ffffff", bold=True, anchor="lm")
    x = 24 + canvas.width_of(content["board"], 24) + 30
    for view in content["views"]:
        x = canvas.pill(x, head[1] + 17, view, mix(theme.accent, "#ffffff", 0.22)) + 10
    for i, name in enumerate(content["people"]):
        canvas.avatar(head[2] - 60 - 44 * i, head[1] + 14, 36, name)
    for lane, column in zip(columns(inset(body, 20, 18), len(content["columns"]), 16), content["columns"], strict=True):
        _lane(canvas, lane, column, content["people"], rng)


def _lane(canvas: Canvas, box: Box, column: dict[str, Any], people: list[str], rng: Random) -> None:
    canvas.rect(box, canvas.theme.bar, radius=10)
    canvas.text(box[0] + 16, box[1] + 14, column["name"], 18, bold=True)
    canvas.text(box[2] - 16, box[1] + 15, str(len(column["cards"])), 16, canvas.theme.muted, anchor="ra")
    y = box[1] + 48
    for card in rng.sample(column["cards"], len(column["cards"])):
        title, _, tag = card.partition(" | ")
        height = 118 if canvas.width_of(title, 17) > box[2] - box[0] - 48 else 94
        canvas.rect(
            (box[0] + 10, y, box[2] - 10, y + height), canvas.theme.surface, radius=8, outline=canvas.theme.line
        )
        canvas.paragraph(box[0] + 24, y + 12, box[2] - box[0] - 48, title, 17, lines=2)
        colour = rng.choice(("#2f7d5b", "#a3562a", "#4a5fc1", "#8a3f78"))
        canvas.pill(box[0] + 24, y + height - 40, tag, colour, size=14)
        canvas.avatar(box[2] - 54, y + height - 40, 28, rng.choice(people))
        y += height + 12


def dashboard(canvas: Canvas, box: Box, content: dict[str, Any], rng: Random) -> None:
    side, body = left(box, 210)
    canvas.rect(side, canvas.theme.bar)
    canvas.menu(inset(side, 0, 14), content["menu"], step=40, active=content["open"])
    head, body = top(inset(body, 26, 18), 52)
    canvas.text(head[0], head[1], content["heading"], 26, bold=True)
    canvas.text(head[2], head[1] + 8, content["period"], 16, canvas.theme.muted, anchor="ra")
    figures, body = top(body, 116)
    for tile, figure in zip(columns(figures, len(content["figures"]), 16), content["figures"], strict=True):
        name, low, high, unit, change = figure
        canvas.rect(tile, canvas.theme.surface, radius=10, outline=canvas.theme.line)
        canvas.text(tile[0] + 18, tile[1] + 16, name, 16, canvas.theme.muted)
        canvas.text(tile[0] + 18, tile[1] + 42, f"{rng.randint(low, high):,}{unit}", 30, bold=True)
        canvas.text(tile[0] + 18, tile[1] + 84, change, 15, "#c0392b" if change[0] == "-" else "#2f7d5b")
    lower, body = right((body[0], body[1] + 18, body[2], body[3]), 330)
    _chart(canvas, (body[0], body[1], body[2] - 18, body[3]), content, rng)
    canvas.rect(lower, canvas.theme.surface, radius=10, outline=canvas.theme.line)
    canvas.text(lower[0] + 18, lower[1] + 14, content["table_heading"], 18, bold=True)
    canvas.table((lower[0] + 6, lower[1] + 48, lower[2] - 6, lower[3]), content["table"], (5, 3), 42)


def _chart(canvas: Canvas, box: Box, content: dict[str, Any], rng: Random) -> None:
    theme = canvas.theme
    canvas.rect(box, theme.surface, radius=10, outline=theme.line)
    canvas.text(box[0] + 18, box[1] + 14, content["chart_heading"], 18, bold=True)
    plot = (box[0] + 62, box[1] + 60, box[2] - 24, box[3] - 44)
    height = plot[3] - plot[1]
    for i in range(5):
        y = plot[3] - height * i / 4
        canvas.line([(plot[0], y), (plot[2], y)])
        canvas.text(plot[0] - 10, y, str(150 * i), 15, theme.muted, anchor="rm")
    days = content["days"]
    slots = columns(plot, len(days))
    dip = content["dip"]
    values = [rng.uniform(0.68, 0.92) * (0.45 if day == dip else 1) for day in days]
    for slot, day, value in zip(slots, days, values, strict=True):
        bar = inset(slot, (slot[2] - slot[0]) * 0.24, 0)
        colour = "#c0392b" if day == dip else theme.accent
        canvas.rect((bar[0], plot[3] - height * value, bar[2], plot[3]), colour, radius=4)
        canvas.text((slot[0] + slot[2]) / 2, plot[3] + 10, day, 15, theme.muted, anchor="ma")
    middles = [
        ((slot[0] + slot[2]) / 2, plot[3] - height * (v * 0.8 + 0.18)) for slot, v in zip(slots, values, strict=True)
    ]
    canvas.line(middles, "#e0a030", 3)


WORKSHOP = {"code_editor": code_editor, "terminal": terminal, "kanban": kanban, "dashboard": dashboard}
