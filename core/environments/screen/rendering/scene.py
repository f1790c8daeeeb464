"""What is on a screen, and where: drawn at random from the catalogue, with the works that it is held against."""

from collections.abc import Sequence
from random import Random
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from core.environments.screen.rendering.catalogue import KINDS, Application, Catalogue, Kind, Matter

__all__ = ["KINDS", "Asked", "Kind", "Scene", "Toast", "Window", "asked_of", "make_scene"]

Shell = Literal["windows", "mac", "gnome"]
Arrangement = Literal["maximised", "single", "side_by_side", "overlapping", "phone"]
SHELLS: tuple[Shell, ...] = ("windows", "mac", "gnome")
DESKTOPS = ((1280, 800), (1366, 768), (1440, 900), (1536, 864), (1680, 1050), (1920, 1080))
PHONES = ((360, 740), (390, 844), (412, 892))
LEISURE_SHARE = 0.3
TOAST_SHARE = 0.15
DARK_SHARE = 0.35
TWO_ON = 0.45
"Share of screens of work that are held against two works they are on task for, to make up for leisure."
NEAR_SHARE = 0.5
"Share of off-task works that are another purpose in the same application, where it has one."
EDGES: dict[Shell, tuple[int, int, int, int]] = {
    "windows": (0, 0, 0, 44),
    "mac": (0, 28, 0, 0),
    "gnome": (60, 28, 0, 0),
}
"Pixels that the desktop keeps for itself: left, top, right, bottom."


class Toast(BaseModel):
    """A notification over everything."""

    model_config = ConfigDict(frozen=True)
    app: Application
    text: str


class Window(BaseModel):
    """A window with what it shows; places in CSS pixels."""

    model_config = ConfigDict(frozen=True)
    app: Application
    number: int
    "Of the matter among those of the application."
    matter: Matter
    title: str
    address: str = ""
    tabs_before: tuple[Application, ...] = ()
    tabs_after: tuple[Application, ...] = ()
    left: int = 0
    top: int = 0
    width: int
    height: int
    front: bool = True
    maximised: bool = False

    @property
    def key(self) -> tuple[str, int]:
        """What it is about; translations have the same."""
        return self.app.name, self.number


class Scene(BaseModel):
    """A whole screen; from the same scene follow the same page and the same pixels."""

    model_config = ConfigDict(frozen=True)
    seed: str
    "Of all that the page still draws at random: names, figures, pictures."
    kind: Kind
    language: str
    theme: str
    shell: Shell
    arrangement: Arrangement
    width: int
    height: int
    scale: int
    "Pixels of the picture a CSS pixel."
    windows: tuple[Window, ...]
    "From the back to the front."
    toast: Toast | None = None

    @property
    def front(self) -> Window:
        return self.windows[-1]


class Asked(NamedTuple):
    """A work that a screen is held against."""

    work: str
    on_task: bool
    why: str


def make_scene(catalogue: Catalogue, seed: str, kind: Kind, language: str) -> Scene:
    """The screen of a seed. Raises NightshiftError for a kind or language without applications."""
    rng = Random(seed)
    apps = catalogue.of(kind, language)
    width, height = rng.choice(PHONES if kind == "phone" else DESKTOPS)
    shell = rng.choice(SHELLS)
    arrangement: Arrangement = "phone"
    if kind != "phone":
        arrangement = rng.choices(("maximised", "single", "side_by_side", "overlapping"), (4, 3, 2, 2))[0]
    places = _places(rng, arrangement, shell, width, height)
    chosen = _chosen(rng, apps, len(places))
    windows = tuple(
        _window(rng, app, language, kind, shell, apps, place, front=at == len(places) - 1)
        for at, (app, place) in enumerate(zip(chosen, places, strict=True))
    )
    toast = None
    if rng.random() < TOAST_SHARE:
        toast = Toast(app=rng.choice(catalogue.applications), text=rng.choice(catalogue.words[language].toasts))
    return Scene(
        seed=seed,
        kind=kind,
        language=language,
        theme="dark" if rng.random() < DARK_SHARE else "light",
        shell=shell,
        arrangement=arrangement,
        width=width,
        height=height,
        scale=2 if kind == "phone" else 1,
        windows=windows,
        toast=toast,
    )


Place = tuple[int, int, int, int]


def _places(rng: Random, arrangement: Arrangement, shell: Shell, width: int, height: int) -> list[Place]:
    """Left, top, width and height of every window, the one in front last."""
    left, top, right, bottom = (0, 0, 0, 0) if arrangement == "phone" else EDGES[shell]
    wide, high = width - left - right, height - top - bottom
    if arrangement in ("maximised", "phone"):
        return [(left, top, wide, high)]
    if arrangement == "side_by_side":
        cut = int(wide * rng.uniform(0.4, 0.6))
        halves = [(left, top, cut, high), (left + cut, top, wide - cut, high)]
        return halves if rng.random() < 0.5 else halves[::-1]
    dock = 74 if shell == "mac" else 0
    front = _floating(rng, left, top, wide, high - dock, (0.66, 0.86))
    if arrangement == "single":
        return [front]
    return [_floating(rng, left, top, wide, high - dock, (0.6, 0.8)), front]


def _floating(rng: Random, left: int, top: int, wide: int, high: int, share: tuple[float, float]) -> Place:
    width, height = int(wide * rng.uniform(*share)), int(high * rng.uniform(max(share[0], 0.74), 0.93))
    return left + rng.randint(8, wide - width - 8), top + rng.randint(8, high - height - 8), width, height


def _chosen(rng: Random, apps: Sequence[Application], count: int) -> list[Application]:
    """As many different applications; the one in front is leisure as often as stated, the others as they come."""
    wants_leisure = rng.random() < LEISURE_SHARE
    fitting = [app for app in apps if app.leisure == wants_leisure] or list(apps)
    front = rng.choice(fitting)
    others = [app for app in apps if app is not front]
    return [*rng.sample(others, min(count - 1, len(others))), front][-count:]


def _window(
    rng: Random,
    app: Application,
    language: str,
    kind: Kind,
    shell: Shell,
    apps: Sequence[Application],
    place: Place,
    *,
    front: bool,
) -> Window:
    matters = app.matters[language]
    number = rng.randrange(len(matters))
    title = matters[number].title
    left, top, width, height = place
    tabs: list[Application] = rng.sample(list(apps), min(rng.randint(0, 3), len(apps))) if kind == "web" else []
    tabs = tabs[: max(0, (width - 520) // 180)]
    cut = rng.randint(0, len(tabs))
    slug = "-".join(title.lower().split()[:3]).strip(",.:!?")
    dash = " - " if shell != "mac" else " \N{EM DASH} "
    return Window(
        app=app,
        number=number,
        matter=matters[number],
        title=title if kind == "phone" or app.name in title else f"{title}{dash}{app.name}",
        address=f"{app.name.lower().replace(' ', '')}.example/{slug}",
        tabs_before=tuple(tabs[:cut]),
        tabs_after=tuple(tabs[cut:]),
        left=left,
        top=top,
        width=width,
        height=height,
        front=front,
        maximised=place[:2] == EDGES[shell][:2] and kind != "phone",
    )


def asked_of(scene: Scene, catalogue: Catalogue) -> list[Asked]:
    """What the screen is held against: on task what the window in front is about, off task what no window is about."""
    rng = Random(f"{scene.seed}/asked")
    front = scene.front
    asked: list[Asked] = []
    if front.matter.works:
        wanted = 2 if rng.random() < TWO_ON else 1
        why = "hard: work in an application for leisure" if front.app.leisure else "what the window in front is about"
        asked += [
            Asked(work, True, why) for work in rng.sample(front.matter.works, min(wanted, len(front.matter.works)))
        ]
    return [*asked, _off_task(rng, scene, catalogue)]


def _off_task(rng: Random, scene: Scene, catalogue: Catalogue) -> Asked:
    """Near misses may be described in another language than the screen's: some matters stand in one language alone."""
    seen = {window.key for window in scene.windows}
    near = [
        matter
        for matters in scene.front.app.matters.values()
        for number, matter in enumerate(matters)
        if matter.works and (scene.front.app.name, number) not in seen
    ]
    if near and rng.random() < NEAR_SHARE:
        return Asked(rng.choice(rng.choice(near).works), False, "hard: the same application, another purpose")
    others = [
        matter
        for app in catalogue.applications
        for number, matter in enumerate(app.matters.get(scene.language, ()))
        if matter.works and (app.name, number) not in seen
    ]
    return Asked(rng.choice(rng.choice(others).works), False, "no window is about it")
