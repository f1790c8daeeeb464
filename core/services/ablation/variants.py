"""Which kinds of variant do harm: the same nights without one kind at a time, on applications not learnt from."""

from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from statistics import fmean
from typing import Any

from core.environments import environment as environment_named
from core.schema import ItemScore, NightshiftError
from core.services.ablation.arms import FULL, Arm
from core.services.ablation.lessons import LABELLED_SHARE
from core.services.ablation.parts import Part
from core.services.ablation.protocol import Watch, measure_arms, unwatched
from core.services.measuring import paired_difference
from core.settings import Settings

__all__ = ["ablate_variants"]

LEAST_HARM = 0.001
"A share of answers, or of probability: with a dozen kinds some interval or other misses nothing by less than this."


def ablate_variants(
    directory: Path,
    *,
    settings: Settings,
    told: Mapping[str, Any],
    splits: int = 5,
    kinds: Sequence[str] | None = None,
    seed: int = 0,
    environment: str = "screen",
    watch: Watch = unwatched,
) -> dict[str, Any]:
    """What each kind is worth beside all others, and the names of those that do harm; JSON-ready.

    A split is learnt from with all kinds that are on, then without each, from the same variants: the difference is
    that of leaving the kind out, on the same answers, with a 95% interval over applications. A kind does harm where
    accuracy, or the probability given to the right answer, is lower with it by LEAST_HARM or more and the whole
    interval lies below zero. Arguments as of `core.services.ablation.ablate`. Raises NightshiftError for a kind that
    is none or is off.
    """
    on = [kind.name for kind in environment_named(environment).variant_kinds if kind.name not in settings.variants.off]
    for name in kinds or ():
        if name not in on:
            raise NightshiftError(f"there is no kind of variant {name!r} that is on; there are: {', '.join(on)}")
    chosen = [name for name in on if kinds is None or name in kinds]
    off = settings.variants.off
    arms = [Arm(FULL, "all kinds that are on")] + [
        Arm(f"without_{name}", f"all but {name}", {"variants": {"off": [*off, name]}}) for name in chosen
    ]
    pairs, found = measure_arms(
        directory,
        arms,
        settings=settings,
        told=told,
        splits=splits,
        seed=seed,
        environment=environment,
        watch=watch,
    )
    worth = {name: _worth(found[FULL], found[f"without_{name}"]) for name in chosen}
    harmful = [name for name, figures in worth.items() if figures["does_harm"]]
    return {
        "n": len(pairs),
        "applications": len({pair.row.app for pair in pairs}),
        "splits": splits,
        "seed": seed,
        "labelled_share": LABELLED_SHARE,
        "accuracy": fmean(score.score for score in _scores(found[FULL])),
        "kinds": worth,
        "harmful": harmful,
        "setting": {"variants.off": [*off, *harmful]},
    }


def _worth(full: Sequence[Part], without: Sequence[Part]) -> dict[str, Any]:
    """With the kind less without it."""
    ours, theirs = _scores(full), _scores(without)
    accuracy = paired_difference(theirs, ours)
    probability = paired_difference(theirs, ours, value=lambda score: score.expected_probability or 0.0)
    return {
        "variants": round(_items(full) - _items(without), 1),
        "accuracy": accuracy,
        "probability": {"difference": probability["accuracy"], "ci95": probability["ci95"]},
        "does_harm": any(_is_harm(each["accuracy"], each["ci95"]) for each in (accuracy, probability)),
    }


def _is_harm(difference: float, ci95: Sequence[float] | None) -> bool:
    return ci95 is not None and ci95[1] < 0 and difference <= -LEAST_HARM


def _scores(parts: Sequence[Part]) -> list[ItemScore]:
    return list(chain.from_iterable(part.scores for part in parts))


def _items(parts: Sequence[Part]) -> float:
    """Mean number of items that a night trained on."""
    return fmean((part.training or {}).get("items", 0.0) for part in parts)
