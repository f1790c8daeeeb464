"""Where people spend a break: videos, a strategy game, music, a social feed, a shop."""

from math import cos, pi, sin, sqrt
from random import Random
from typing import Any

from core.environments.screen.drawing.canvas import Box, Canvas, columns, grid, inset, left, mix, right, rows, top

__all__ = ["LEISURE"]


def video(canvas: Canvas, box: Box, content: dict[str, Any], rng: Random) -> None:
    theme = canvas.theme
    head, body = top(box, 56)
    canvas.text(24, head[1] + 28, content["brand"], 24, theme.accent, bold=True, anchor="lm")
    x = 190.0
    for entry in content["menu"]:
        canvas.text(x, head[1] + 28, entry, 17, anchor="lm")
        x += canvas.width_of(entry, 17) + 30
    canvas.avatar(head[2] - 60, head[1] + 10, 36, content["viewer"])
    hero, body = top(body, 276)
    canvas.picture(hero, rng, radius=0)
    canvas.text(40, hero[1] + 40, content["title"], 40, "#ffffff", bold=True)
    canvas.text(40, hero[1] + 96, content["facts"], 17, "#f0f0f0")
    canvas.paragraph(40, hero[1] + 128, 560, content["story"], 18, "#ffffff", lines=3)
    x = canvas.pill(40, hero[1] + 212, "Play episode 4", theme.accent, size=19)
    canvas.pill(x + 14, hero[1] + 212, "+ My list", "#3b3f4a", size=19)
    for shelf, (name, shows) in zip(rows(inset(body, 40, 10), 178, 6), content["shelves"], strict=False):
        canvas.text(shelf[0], shelf[1], name, 20, bold=True)
        picks = rng.sample(shows, len(shows))
        for card, show in zip(
            columns((shelf[0], shelf[1] + 32, shelf[2], shelf[3]), len(picks), 14), picks, strict=True
        ):
            canvas.picture((card[0], card[1], card[2], card[3] - 34), rng)
            canvas.play_symbol((card[0] + card[2]) / 2, (card[1] + card[3] - 34) / 2, 26, "#ffffff")
            canvas.text(card[0], card[3] - 28, show, 16, width=card[2] - card[0])


TERRAIN = {
    "sea": "#3f7fae",
    "sand": "#d9c48a",
    "grass": "#7fb05a",
    "wood": "#4c7f45",
    "hill": "#9a8466",
    "rock": "#8d9199",
}


def game(canvas: Canvas, box: Box, content: dict[str, Any], rng: Random) -> None:
    theme = canvas.theme
    goods, body = top(box, 52)
    panel, land = right(body, 300)
    _island(canvas, land, content["towns"], rng)
    canvas.rect(goods, theme.bar)
    x = 22.0
    for name, low, high in content["goods"]:
        text = f"{name} {rng.randint(low, high):,}"
        canvas.text(x, goods[1] + 26, text, 19, anchor="lm")
        x += canvas.width_of(text, 19) + 40
    canvas.text(goods[2] - 22, goods[1] + 26, f"Turn {rng.randrange(40, 140)}", 20, theme.accent, anchor="rm")
    canvas.rect(panel, theme.surface)
    inner = inset(panel, 20, 18)
    canvas.text(inner[0], inner[1], content["unit"], 22, theme.accent, bold=True)
    y = canvas.paragraph(inner[0], inner[1] + 36, 260, content["unit_facts"], 17) + 14
    for order in content["orders"]:
        canvas.rect((inner[0], y, inner[2], y + 40), theme.bar, radius=6, outline=theme.line)
        canvas.label((inner[0], y, inner[2], y + 40), order, 17)
        y += 50
    canvas.text(inner[0], y + 8, "Messages", 19, bold=True)
    for i, news in enumerate(rng.sample(content["news"], len(content["news"]))):
        canvas.paragraph(inner[0], y + 40 + 54 * i, 260, news, 16, theme.muted, lines=2)
    canvas.rect((inner[0], inner[3] - 54, inner[2], inner[3]), theme.accent, radius=8)
    canvas.label((inner[0], inner[3] - 54, inner[2], inner[3]), "End turn", 22, "#1d1a12", bold=True)


def _island(canvas: Canvas, box: Box, towns: list[str], rng: Random) -> None:
    """Hexagons whose height falls off from the middle of the island."""
    size, middle = 40.0, ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    free: list[tuple[float, float]] = []
    for i in range(13):
        for j in range(17):
            x, y = box[0] + sqrt(3) * size * (j + i % 2 / 2), box[1] + 1.5 * size * i
            away = sqrt(((x - middle[0]) / 1.35) ** 2 + (y - middle[1]) ** 2) / 330 + rng.uniform(-0.16, 0.16)
            kind = (
                "sea"
                if away > 0.95
                else "sand"
                if away > 0.85
                else rng.choice(("grass", "grass", "wood", "hill", "rock"))
            )
            corners = [(x + size * sin(pi / 3 * k), y + size * cos(pi / 3 * k)) for k in range(6)]
            colour = mix(TERRAIN[kind], "#ffffff", rng.uniform(0, 0.1))
            canvas.polygon(corners, colour, mix(colour, "#000000", 0.18))
            _growth(canvas, x, y, kind)
            if kind == "grass" and box[0] + 120 < x < box[2] - 160 and box[1] + 60 < y < box[3] - 60:
                free.append((x, y))
    for name in towns:
        x, y = free.pop(rng.randrange(len(free)))
        free = [spot for spot in free if abs(spot[0] - x) > 170 or abs(spot[1] - y) > 80]
        _town(canvas, x, y, name)


def _growth(canvas: Canvas, x: float, y: float, kind: str) -> None:
    if kind == "wood":
        for dx, dy in ((-12, 4), (4, -8), (14, 8)):
            canvas.polygon([(x + dx, y + dy - 14), (x + dx - 9, y + dy + 8), (x + dx + 9, y + dy + 8)], "#2f5e34")
    elif kind == "rock":
        canvas.polygon([(x - 22, y + 14), (x - 4, y - 20), (x + 8, y + 14)], "#6d727b")
        canvas.polygon([(x - 4, y + 14), (x + 10, y - 10), (x + 24, y + 14)], "#7c828c")


def _town(canvas: Canvas, x: float, y: float, name: str) -> None:
    for dx in (-14, 4):
        canvas.rect((x + dx, y - 6, x + dx + 14, y + 10), "#f2e6cc", outline="#5a4630")
        canvas.polygon([(x + dx - 2, y - 6), (x + dx + 7, y - 18), (x + dx + 16, y - 6)], "#b5482f")
    half = canvas.width_of(name, 17) / 2 + 10
    canvas.rect((x - half, y + 16, x + half, y + 42), "#20242c", radius=6)
    canvas.label((x - half, y + 16, x + half, y + 42), name, 17, "#ffffff")


def music(canvas: Canvas, box: Box, content: dict[str, Any], rng: Random) -> None:
    theme = canvas.theme
    body, player = top(box, -88)
    side, body = left(body, 220)
    canvas.rect(side, theme.bar)
    canvas.menu(inset(side, 0, 14), content["menu"], step=38, active=content["open"])
    head, body = top(inset(body, 28, 22), 190)
    canvas.picture((head[0], head[1], head[0] + 170, head[1] + 170), rng)
    canvas.text(head[0] + 196, head[1] + 16, "PLAYLIST", 15, theme.muted)
    canvas.text(head[0] + 196, head[1] + 42, content["playlist"], 42, bold=True)
    canvas.text(head[0] + 196, head[1] + 104, content["facts"], 17, theme.muted)
    x = canvas.pill(head[0] + 196, head[1] + 134, "Play", theme.accent, size=18, ink="#10241a", radius=18)
    canvas.pill(x + 12, head[1] + 134, "Shuffle", theme.surface, size=18, ink=theme.text, radius=18)
    lengths = [f"{rng.randrange(2, 6)}:{rng.randrange(60):02d}" for _ in content["tracks"]]
    picks = rng.sample(content["tracks"], len(content["tracks"]))
    lines = [[str(i + 1), *track, length] for i, (track, length) in enumerate(zip(picks, lengths, strict=True))]
    canvas.table(body, [["#", "Title", "Artist", "Album", "Time"], *lines], (1, 6, 4, 4, 2), 42)
    _player(canvas, player, picks[0], rng)


def _player(canvas: Canvas, box: Box, track: list[str], rng: Random) -> None:
    canvas.rect(box, canvas.theme.surface)
    canvas.picture((box[0] + 16, box[1] + 14, box[0] + 76, box[1] + 74), rng)
    canvas.text(92, box[1] + 22, track[0], 18, bold=True)
    canvas.text(92, box[1] + 48, track[1], 16, canvas.theme.muted)
    middle = (box[0] + box[2]) / 2
    canvas.ellipse((middle - 22, box[1] + 10, middle + 22, box[1] + 54), canvas.theme.text)
    canvas.play_symbol(middle, box[1] + 32, 18, canvas.theme.surface)
    for way in (-1, 1):
        x = middle + 52 * way
        canvas.polygon(
            [(x - 8 * way, box[1] + 24), (x - 8 * way, box[1] + 40), (x + 6 * way, box[1] + 32)], canvas.theme.text
        )
    canvas.rect((middle - 250, box[1] + 68, middle + 250, box[1] + 73), canvas.theme.line, radius=2)
    canvas.rect(
        (middle - 250, box[1] + 68, middle + rng.uniform(-180, 120), box[1] + 73), canvas.theme.accent, radius=2
    )


def feed(canvas: Canvas, box: Box, content: dict[str, Any], rng: Random) -> None:
    theme = canvas.theme
    body, tabs = top(box, -72)
    stories, body = top(body, 116)
    for cell, name in zip(columns(stories, len(content["stories"])), content["stories"], strict=True):
        middle = (cell[0] + cell[2]) / 2
        canvas.ellipse((middle - 34, cell[1] + 10, middle + 34, cell[1] + 78), outline=theme.accent)
        canvas.avatar(middle - 30, cell[1] + 14, 60, name)
        canvas.text(middle, cell[1] + 86, name.split()[0], 15, theme.muted, anchor="ma")
    post, body = top(body, 430)
    canvas.avatar(20, post[1] + 10, 44, content["author"])
    canvas.text(76, post[1] + 12, content["author"], 18, bold=True)
    canvas.text(76, post[1] + 36, content["when"], 15, theme.muted)
    canvas.picture((20, post[1] + 66, post[2] - 20, post[1] + 316), rng)
    canvas.paragraph(20, post[1] + 328, post[2] - 40, content["words"], 18, lines=2)
    likes = f"{rng.randint(120, 900)} likes    {rng.randint(14, 60)} comments    Share"
    canvas.text(20, post[1] + 392, likes, 17, theme.muted)
    canvas.line([(0, post[3]), (post[2], post[3])])
    for row, (name, words) in zip(
        rows(body, 84), rng.sample(content["comments"], len(content["comments"])), strict=False
    ):
        canvas.avatar(20, row[1] + 14, 40, name)
        canvas.text(74, row[1] + 10, name, 16, bold=True)
        canvas.paragraph(74, row[1] + 32, row[2] - 100, words, 16, lines=2)
    canvas.rect(tabs, theme.bar)
    for cell, name in zip(columns(tabs, len(content["tabs"])), content["tabs"], strict=True):
        canvas.label(cell, name, 16, theme.accent if name == content["tabs"][0] else theme.muted)


def shop(canvas: Canvas, box: Box, content: dict[str, Any], rng: Random) -> None:
    theme = canvas.theme
    head, body = top(box, 64)
    canvas.rect(head, theme.accent)
    canvas.text(24, head[1] + 32, content["brand"], 26, "#ffffff", bold=True, anchor="lm")
    canvas.field((210, head[1] + 12, 900, head[3] - 12), content["search"], 17)
    canvas.text(head[2] - 24, head[1] + 32, f"Sign in      Cart ({rng.randint(1, 4)})", 18, "#ffffff", anchor="rm")
    side, body = left(body, 210)
    canvas.menu(inset(side, 0, 12), content["filters"], step=36, active=None)
    body = inset(body, 18, 16)
    canvas.text(body[0], body[1], content["heading"], 22, bold=True)
    cells = grid((body[0], body[1] + 40, body[2], body[3]), 4, 280, 16)
    for cell, (name, low, high) in zip(cells, rng.sample(content["goods"], len(content["goods"])), strict=False):
        canvas.rect(cell, theme.surface, radius=10, outline=theme.line)
        scene = (cell[0] + 12, cell[1] + 12, cell[2] - 12, cell[1] + 150)
        canvas.rect(scene, theme.bar, radius=8)
        _lamp(canvas, scene, rng)
        canvas.paragraph(cell[0] + 14, cell[1] + 160, cell[2] - cell[0] - 28, name, 17, lines=2)
        canvas.text(
            cell[0] + 14, cell[1] + 210, f"EUR {rng.randint(low, high)}.{rng.choice(('00', '50', '90'))}", 20, bold=True
        )
        canvas.pill(cell[0] + 14, cell[1] + 240, "Add to cart", theme.accent, size=16)
        canvas.text(cell[2] - 14, cell[1] + 248, f"{rng.randint(36, 50) / 10} / 5", 15, theme.muted, anchor="ra")


def _lamp(canvas: Canvas, box: Box, rng: Random) -> None:
    x, foot = (box[0] + box[2]) / 2, box[3] - 14
    colour = rng.choice(("#c4553b", "#2f6f73", "#e0a030", "#3d4450", "#7a8f5a"))
    reach, height = rng.uniform(-34, 34), rng.uniform(78, 96)
    canvas.ellipse((x - 30, foot - 8, x + 30, foot + 6), mix(colour, "#000000", 0.25))
    canvas.line([(x, foot), (x - reach / 2, foot - height / 2), (x + reach / 2, foot - height)], "#5b6270", 5)
    x, y = x + reach / 2, foot - height
    canvas.ellipse((x - 18, y + 8, x + 18, y + 26), "#ffe9a8")
    canvas.polygon([(x - 12, y - 12), (x + 12, y - 12), (x + 30, y + 18), (x - 30, y + 18)], colour)


LEISURE = {"video": video, "game": game, "music": music, "feed": feed, "shop": shop}
