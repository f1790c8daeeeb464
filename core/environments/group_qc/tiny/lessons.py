"""What tiny models are taught before anything is measured, and the examples they are measured on."""

from collections.abc import Callable, Sequence
from random import Random
from typing import TYPE_CHECKING

from PIL.Image import Image

from core.environments.group_qc.contract import VERDICTS
from core.environments.group_qc.dossier import Dossier, image_key
from core.environments.group_qc.drawing import DrawnGroup, DrawnPhoto
from core.environments.group_qc.environment import GroupQcEnvironment
from core.environments.group_qc.missions import missions
from core.environments.group_qc.prompt import PROMPT, SUMMARY_PROMPT, summary_ask
from core.reading import Reading, read_image
from core.schema import Example

if TYPE_CHECKING:
    from core.policy.base import Arrays

__all__ = ["DrawnLibrary", "corpus", "dossier_of", "group_example", "remark", "warm_up_lines"]

FORMED_SHARE = 0.28
"Of the lines that stage B is warmed up with: two proper lines, under either verdict."
REMARK_SHARE = 0.35
"Of the lines, those that say whether a photo stands out. None says what follows for the verdict."
ODD, EVEN = "有异常", "未见异常"
STANDS_OUT = 0.8
"Of the lines about a group with a fault, those that are about the photo with it."
WEIGHT = 20
"Times that what is in every prompt stands in what a tokenizer learns from."


class DrawnLibrary:
    """Drawn photos by their seeds. Meets `core.policy.Library`."""

    def __init__(self, groups: Sequence[DrawnGroup]) -> None:
        self.photos: dict[str, DrawnPhoto] = {photo.seed: photo for group in groups for photo in group.photos}

    def image(self, media: str) -> Image:
        return self.photos[media].image

    def reading(self, media: str) -> Reading:
        return read_image(self.image(media))

    def arrays(self, media: str, name: str, make: "Callable[[], Arrays]") -> "Arrays":  # noqa: ARG002
        return make()


def dossier_of(group: DrawnGroup, lines: Sequence[str] | None = None) -> Dossier:
    """What stage B reads of a drawn group: these lines, or the true ones."""
    return Dossier.of(missions()[group.mission], lines or group.summaries)


def group_example(group: DrawnGroup, lines: Sequence[str] | None = None) -> Example:
    """A drawn group as stage B is asked about it; groups of one site and date share a cluster."""
    media = [photo.seed for photo in group.photos]
    return GroupQcEnvironment().example(media, dossier_of(group, lines).text, cluster=f"{group.site}/{group.date}")


def corpus(groups: Sequence[DrawnGroup]) -> list[str]:
    """What a tokenizer learns its merges from: all that both stages are told, and the lines of some groups."""
    told = [SUMMARY_PROMPT.system, SUMMARY_PROMPT.question, PROMPT.system, PROMPT.question]
    told += [
        *(summary_ask(mission) for mission in missions().values()),
        *(f"{each}，" for each in (ODD, EVEN, *VERDICTS)),
    ]
    return [*(dossier_of(group).text for group in groups), *told * WEIGHT]


def remark(group: DrawnGroup, rng: Random) -> str:
    """Whether a photo of the group stands out, and which: known to who has read all lines, and no verdict."""
    odd = [number for number, photo in enumerate(group.photos, start=1) if photo.faulty]
    return f"{ODD}，{image_key(rng.choice(odd))}" if odd else EVEN


def warm_up_lines(group: DrawnGroup, lines: Sequence[str], rng: Random) -> tuple[str, ...]:
    """Something about a group in Chinese: what a photo shows, mostly one that stands out, or whether any does.

    Now and then it is an answer in proper form. Whatever it is, it is said under one verdict and under the other: by
    what the model is taught, on no group one is likelier.
    """
    odd = [place for place, photo in enumerate(group.photos) if photo.faulty]
    number = rng.choice(odd) if odd and rng.random() < STANDS_OUT else rng.randrange(len(group.photos))
    said = f"{image_key(number + 1)}，{lines[number].partition('，')[2]}"
    kind = rng.random()
    if kind < REMARK_SHARE:
        form = remark(group, rng)
    elif kind < REMARK_SHARE + FORMED_SHARE:
        form = f"{{verdict}}\n{said}"
    else:
        form = rng.choice((said, lines[number], f"{said}\n{{verdict}}", f"{{verdict}}，{said}", "{verdict}"))
    return tuple(form.replace("{verdict}", verdict) for verdict in VERDICTS)
