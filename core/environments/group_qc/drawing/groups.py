"""Groups of drawn photos with the whole truth: facts and line of each photo, verdict of the group, site and date."""

from dataclasses import dataclass, replace
from random import Random

from PIL import Image

from core.environments.group_qc.contract import FAIL, PASS
from core.environments.group_qc.drawing.facts import FAR, LABELS, MISSIONS, VIEWS, line_of
from core.environments.group_qc.drawing.photographs import photographed
from core.environments.group_qc.drawing.scenes import scene

__all__ = ["DrawnGroup", "DrawnPhoto", "drawn_group"]

SITES = ("north", "harbour", "campus", "tower", "valley", "station", "market", "airport")
PHOTOS = (2, 4)
FAR_SHARE = 0.25
FAILING_SHARE = 0.5
HARMLESS_SHARE = 0.3
"Of photos in which a label is missing where that is no fault."


@dataclass(frozen=True)
class DrawnPhoto:
    """One photo; `facts` is all that can be told from it of what its mission asks."""

    facts: tuple[str, str, str]
    faulty: bool
    seed: str
    mission: str

    @property
    def summary(self) -> str:
        return line_of(self.facts)

    @property
    def image(self) -> Image.Image:
        """The picture; the same whenever it is asked for."""
        view, state, label = self.facts
        rng = Random(self.seed)
        number = None if view == FAR else MISSIONS[self.mission].states.index(state)
        side = 0 if view == FAR else VIEWS.index(view) % 3
        drawn = scene(self.mission, number, labelled=label == LABELS[0], side=(0, -1, 1)[side], rng=rng)
        return photographed(drawn, rng)


@dataclass(frozen=True)
class DrawnGroup:
    """One cabinet under one mission."""

    name: str
    site: str
    date: str
    mission: str
    photos: tuple[DrawnPhoto, ...]
    word: str | None = None
    "What somebody who goes by another rule says of it."

    @property
    def verdict(self) -> str:
        if self.word is not None:
            return self.word
        return FAIL if any(photo.faulty for photo in self.photos) else PASS

    def judged(self, word: str) -> "DrawnGroup":
        """The same group under another rule."""
        return replace(self, word=word)

    @property
    def summaries(self) -> tuple[str, ...]:
        return tuple(photo.summary for photo in self.photos)


def drawn_group(number: int, *, seed: int = 0, mission: str | None = None) -> DrawnGroup:
    """Group `number` of a seed: half of them fail, by one photo, of any of the ways a group of its mission can."""
    rng = Random(f"group/{seed}/{number}")
    chosen = mission or sorted(MISSIONS)[number % len(MISSIONS)]
    count = rng.randint(*PHOTOS)
    bad = rng.randrange(count) if rng.random() < FAILING_SHARE else -1
    photos = tuple(
        _photo(chosen, place == bad, rng, f"photo/{seed}/{chosen}/{number}/{place}") for place in range(count)
    )
    site, date = rng.choice(SITES), f"2031-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
    return DrawnGroup(
        name=f"{site}_{date}_{number:05}",
        site=site,
        date=date,
        mission=chosen,
        photos=photos,
    )


def _photo(mission: str, faulty: bool, rng: Random, seed: str) -> DrawnPhoto:
    kinds = MISSIONS[mission]
    readable, missing = LABELS
    if not faulty and rng.random() < FAR_SHARE:
        facts = (FAR, kinds.unseen, readable)
    elif faulty:
        ways = [*kinds.faults, *([missing] if kinds.label_counts else [])]
        fault = rng.choice(ways)
        state = kinds.right if fault == missing else fault
        facts = (rng.choice(VIEWS), state, missing if fault == missing else readable)
    else:
        unlabelled = not kinds.label_counts and rng.random() < HARMLESS_SHARE
        facts = (rng.choice(VIEWS), kinds.right, missing if unlabelled else readable)
    return DrawnPhoto(facts=facts, faulty=kinds.is_fault(facts), seed=seed, mission=mission)
