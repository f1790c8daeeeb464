"""The arms of an ablation, as data: what answers, what it learnt from, and which settings differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from core.schema import NightshiftError
from core.settings import Settings

__all__ = ["ARMS", "BEFORE", "FULL", "Arm", "Sections", "choose_arms"]

BEFORE, FULL = "zero_shot", "full"
"The arms whose confidences are drawn; every arm is compared with the second."

Sections = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Arm:
    """One way to come to a classifier. `settings` lie over those of the home, section by section."""

    name: str
    about: str
    settings: Sections = field(default_factory=dict)
    classifier: Literal["champion", "prompt", "challenger"] = "challenger"
    "What answers: the untrained champion, the baseline that is only asked, or what a night trains."
    lessons: Literal["folder", "drawn"] = "folder"
    "Where the night's screens come from: the folder's own half, or the samples that the product draws."
    student: str | None = None
    "The only student that has the part which is taken out; None where all have it."


ARMS = (
    Arm(BEFORE, "the champion before anybody corrected it", classifier="champion"),
    Arm("prompt", "the baseline of a fixed prompt and no training", classifier="prompt"),
    Arm(FULL, "a night's challenger as the settings have it: policy gradient and likelihood"),
    Arm("grpo_only", "the policy gradient alone", {"learning": {"likelihood_weight": 0.0}}),
    Arm("likelihood_only", "the likelihood of the labels alone", {"learning": {"gradient_weight": 0.0}}),
    Arm(
        "with_adaptation",
        "the text encoder's last layer is trained with the head",
        {"reader": {"adapted_layers": 1}},
        student="reader",
    ),
    Arm("without_judge", "the judge has no weight in the reward", {"reward": {"judge": 0.0}}),
    Arm("without_real_images", "learnt from as many pairs of drawn screens, and variants of those", lessons="drawn"),
    Arm(
        "without_captions",
        "the student is not told which kinds of activity a screen and a description resemble; these features, derived "
        "from the reading, are what Nightshift has in place of captions",
        {"reader": {"activities": False}},
        student="reader",
    ),
    Arm(
        "without_semi_online",
        "words said while the night trains wait for the next one",
        {"learning": {"semi_online": False}},
    ),
)


def choose_arms(names: Sequence[str] | None, settings: Settings) -> tuple[list[Arm], dict[str, str]]:
    """The arms that can be run, in the order of the table, and those that cannot, each with its reason.

    All of them without `names`. Raises NightshiftError for a name that is none, naming those there are.
    """
    known = [arm.name for arm in ARMS]
    wanted = known if names is None else names
    for name in wanted:
        if name not in known:
            raise NightshiftError(f"there is no arm {name!r}; there are: {', '.join(known)}")
    left_out: dict[str, str] = {}
    arms = []
    for arm in ARMS:
        if arm.name in wanted and arm.student not in (None, settings.policy):
            left_out[arm.name] = f"the student {settings.policy!r} has no such part; {arm.student!r} has"
        elif arm.name in wanted:
            arms.append(arm)
    if not arms:
        raise NightshiftError(f"no arm is left to measure: {'; '.join(f'{n}: {why}' for n, why in left_out.items())}")
    return arms, left_out
