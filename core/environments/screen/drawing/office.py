"""Where people write, count and answer: spreadsheet, e-mail, customers, support."""

from random import Random
from typing import Any

from core.environments.screen.drawing.canvas import Box, Canvas, columns, inset, left, mix, right, rows, top

__all__ = ["OFFICE"]


def spreadsheet(canvas: Canvas, box: Box, content: dict[str, Any], rng: Random) -> None:
    theme = canvas.theme
    tools, body = top(box, 44)
    canvas.rect(tools, theme.bar)
    x = 14.0
    for tool in content["tools"]:
        x = canvas.pill(x, tools[1] + 7, tool, theme.surface, ink=theme.text) + 8
    formula, body = top(body, 36)
    canvas.text(18, formula[1] + 18, content["cell"], 16, anchor="lm")
    canvas.text(110, formula[1] + 18, content["formula"], 16, theme.muted, anchor="lm")
    body, sheets = top(body, -36)
    _cells(canvas, body, content["rows"], content["widths"], rng)
    canvas.rect(sheets, theme.bar)
    x = 16.0
    for i, name in enumerate(content["sheets"]):
        x = canvas.pill(
            x, sheets[1] + 4, name, theme.accent if i == 0 else theme.bar, ink="#ffffff" if i == 0 else theme.muted
        )
        x += 8


def _cells(canvas: Canvas, box: Box, lines: list[list[Any]], widths: list[int], rng: Random) -> None:
    """Numbers given as [low, high] are drawn at random; the last column holds each row's sum."""
    theme, totals = canvas.theme, 0
    for i, row in enumerate(rows(box, 31)):
        canvas.rect((row[0], row[1], 46, row[3]), theme.bar)
        if i:
            canvas.text(23, row[1] + 15, str(i), 15, theme.muted, anchor="mm")
        values = list(lines[i - 1]) if 0 < i <= len(lines) else []
        numbers = [rng.randint(*v) * 5 for v in values if isinstance(v, list)]
        if numbers:
            values = [*(v for v in values if not isinstance(v, list)), *numbers, sum(numbers)]
            totals += sum(numbers)
        elif values and values[-1] == "TOTAL":
            values[-1] = totals
        x = 46.0
        for j, width in enumerate(widths):
            cell = (x, row[1], x + width, row[3])
            canvas.rect(cell, theme.bar if i == 0 else theme.surface, outline=theme.line)
            value = chr(65 + j) if i == 0 else (values[j] if j < len(values) else "")
            strong = i == 1 or (i == len(lines) and i > 1)
            if i == 0:
                canvas.label(cell, value, 15, theme.muted)
            elif isinstance(value, int):
                canvas.text(cell[2] - 10, row[1] + 15, f"{value:,}", 16, bold=strong, anchor="rm")
            else:
                canvas.text(cell[0] + 8, row[1] + 15, value, 16, bold=strong, anchor="lm", width=width - 12)
            x += width


def mail(canvas: Canvas, box: Box, content: dict[str, Any], rng: Random) -> None:
    theme = canvas.theme
    side, body = left(box, 200)
    canvas.rect(side, theme.bar)
    canvas.pill(18, side[1] + 16, "New message", theme.accent, size=17)
    canvas.menu((side[0], side[1] + 70, side[2], side[3]), content["folders"], step=38)
    inbox, body = left(body, 370)
    canvas.field((inbox[0] + 14, inbox[1] + 14, inbox[2] - 14, inbox[1] + 50), "Search mail")
    messages = _dated(content["messages"], rng)
    cells = rows((inbox[0], inbox[1] + 62, inbox[2], inbox[3]), 92)
    for i, (row, (name, subject, start, when)) in enumerate(zip(cells, messages, strict=False)):
        if i == 0:
            canvas.rect(row, mix(theme.page, theme.accent, 0.14))
        canvas.avatar(row[0] + 14, row[1] + 22, 44, name)
        canvas.text(row[0] + 72, row[1] + 12, name, 17, bold=i < 3, width=210)
        canvas.text(row[2] - 14, row[1] + 13, when, 15, theme.muted, anchor="ra")
        canvas.text(row[0] + 72, row[1] + 38, subject, 16, width=280)
        canvas.text(row[0] + 72, row[1] + 62, start, 15, theme.muted, width=280)
        canvas.line([(row[0], row[3]), (row[2], row[3])])
    canvas.line([(inbox[2], inbox[1]), (inbox[2], inbox[3])])
    _letter(canvas, inset(body, 30, 24), messages[0], content)


def _dated(messages: list[list[str]], rng: Random) -> list[list[str]]:
    """The messages, with `today` turned into times of this morning, newest first."""
    minutes = sorted(rng.sample(range(420, 660), len(messages)), reverse=True)
    times = [f"{minute // 60:02d}:{minute % 60:02d}" for minute in minutes]
    return [[*texts, time if when == "today" else when] for (*texts, when), time in zip(messages, times, strict=True)]


def _letter(canvas: Canvas, box: Box, message: list[str], content: dict[str, Any]) -> None:
    name, subject, _, when = message
    canvas.text(box[0], box[1], subject, 24, bold=True, width=box[2] - box[0])
    canvas.avatar(box[0], box[1] + 48, 48, name)
    canvas.text(box[0] + 62, box[1] + 50, name, 18, bold=True)
    canvas.text(box[0] + 62, box[1] + 76, content["to"], 15, canvas.theme.muted)
    canvas.text(box[2], box[1] + 52, when, 15, canvas.theme.muted, anchor="ra")
    y = canvas.paragraph(box[0], box[1] + 124, box[2] - box[0], content["letter"], 18)
    x = box[0]
    for i, label in enumerate(("Reply", "Reply all", "Forward")):
        fill, ink = (canvas.theme.accent, "#ffffff") if i == 0 else (canvas.theme.bar, canvas.theme.text)
        x = canvas.pill(x, y + 24, label, fill, size=17, ink=ink) + 12


def crm(canvas: Canvas, box: Box, content: dict[str, Any], rng: Random) -> None:
    theme = canvas.theme
    side, body = left(box, 190)
    canvas.rect(side, theme.bar)
    canvas.menu(inset(side, 0, 14), content["menu"], step=40, active=content["open"])
    head, body = top(inset(body, 24, 18), 60)
    canvas.text(head[0], head[1] + 4, content["heading"], 26, bold=True)
    canvas.pill(head[2] - 120, head[1], "+ New deal", theme.accent, size=16)
    stages, body = top(body, 78)
    for tile, (stage, low, high) in zip(columns(stages, len(content["stages"]), 12), content["stages"], strict=True):
        canvas.rect(tile, theme.surface, radius=8, outline=theme.line)
        canvas.text(tile[0] + 14, tile[1] + 12, stage, 16, theme.muted)
        canvas.text(tile[0] + 14, tile[1] + 38, f"EUR {rng.randint(low, high)},{rng.randint(0, 9)}00", 22, bold=True)
    first, *deals = content["deals"]
    canvas.table(
        (body[0], body[1] + 20, body[2], body[3]), [first, *rng.sample(deals, len(deals))], (5, 4, 3, 3, 3, 3), 46
    )


def support(canvas: Canvas, box: Box, content: dict[str, Any], rng: Random) -> None:
    theme = canvas.theme
    queue, body = left(box, 350)
    canvas.rect(queue, theme.bar)
    canvas.text(20, queue[1] + 18, content["queue"], 22, bold=True)
    first, *others = content["tickets"]
    cells = rows((queue[0], queue[1] + 62, queue[2], queue[3]), 84, 4)
    for i, (row, ticket) in enumerate(zip(cells, [first, *rng.sample(others, len(others))], strict=False)):
        name, subject, state = ticket
        canvas.rect(inset(row, 8, 0), theme.surface if i else mix(theme.surface, theme.accent, 0.2), radius=8)
        canvas.avatar(row[0] + 18, row[1] + 20, 42, name)
        canvas.text(row[0] + 72, row[1] + 12, name, 17, bold=True)
        canvas.text(row[0] + 72, row[1] + 36, subject, 15, width=255)
        canvas.text(row[0] + 72, row[1] + 58, state, 15, "#b3472f" if "waiting" in state else theme.muted)
    person, body = right(body, 250)
    _conversation(canvas, inset(body, 22, 18), content, first[0])
    canvas.line([(person[0], person[1]), (person[0], person[3])])
    canvas.avatar(person[0] + 85, person[1] + 30, 80, first[0])
    canvas.text((person[0] + person[2]) / 2, person[1] + 126, first[0], 20, bold=True, anchor="ma")
    for row, fact in zip(
        rows((person[0] + 22, person[1] + 170, person[2], person[3]), 58), content["facts"], strict=False
    ):
        canvas.text(row[0], row[1], fact[0], 15, theme.muted)
        canvas.text(row[0], row[1] + 22, fact[1].replace("{n}", str(rng.randint(10_000, 99_999))), 17)


def _conversation(canvas: Canvas, box: Box, content: dict[str, Any], customer: str) -> None:
    theme = canvas.theme
    canvas.text(box[0], box[1], content["subject"], 22, bold=True, width=box[2] - box[0])
    y = box[1] + 48
    for name, words in content["thread"]:
        ours = name != customer
        x, width = box[0] + (70 if ours else 0), box[2] - box[0] - 70
        lines = len(canvas.wrapped(words, width - 32, 17))
        bubble = (x, y, x + width, y + 44 + lines * 24.2)
        canvas.rect(bubble, mix(theme.surface, theme.accent, 0.16) if ours else theme.bar, radius=12)
        canvas.text(x + 16, y + 10, name, 15, theme.muted)
        canvas.paragraph(x + 16, y + 32, width - 32, words, 17)
        y = bubble[3] + 14
    canvas.rect((box[0], box[3] - 96, box[2], box[3]), theme.surface, radius=10, outline=theme.line)
    canvas.text(box[0] + 16, box[3] - 80, "Write a reply to " + customer, 17, theme.muted)
    x = canvas.pill(box[2] - 190, box[3] - 42, "Note", theme.bar, size=16, ink=theme.text)
    canvas.pill(x + 10, box[3] - 42, "Send reply", theme.accent, size=16)


OFFICE = {"spreadsheet": spreadsheet, "mail": mail, "crm": crm, "support": support}
