"""A night after a changed rule, in a home that is thrown away: tiny models that know their work, and drawn groups.

From one day on, a missing label fails a group also where it never did. People correct groups of that kind, and confirm
others that were drawn blindly. What is wanted: the rule is learnt, and nothing else is lost.
"""

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from core.environments.group_qc.contract import FAIL, PASS
from core.environments.group_qc.drawing import LABELS, MISSIONS, DrawnGroup, draw_groups, drawn_group, reason_of
from core.environments.group_qc.environment import SUMMARIES, GroupQcEnvironment
from core.environments.group_qc.grouping import one_group
from core.environments.group_qc.tiny import (
    Sizes,
    Taught,
    kept_in,
    learn_verdicts,
    read_groups,
    taught_summariser,
    warmed_up,
)
from core.environments.group_qc.tiny.measures import LONGEST
from core.environments.group_qc.tiny.models import PIXELS, RANK
from core.policy.vlm.policy import VlmPolicy
from core.schema import ChosenBy, NightshiftError
from core.services.feedback import correct
from core.services.groups.evaluating import evaluate_groups
from core.services.groups.inspecting import Inspector, inspect_groups, mission_of
from core.services.importing import Progress
from core.services.workspace import Workspace

__all__ = ["simulate_groups"]

NAME = GroupQcEnvironment.name
RunNight = Callable[[Workspace, str, int], dict[str, Any]]
CHANGED = tuple(name for name, mission in MISSIONS.items() if not mission.label_counts)
"""Missions in which a missing label was harmless until now."""
FIRST = {"known": 0, "rule": 10_000, "elsewhere": 20_000, "unseen_rule": 30_000, "unseen": 40_000}
"""Numbers from which groups are drawn, so that no part of the experiment sees those of another."""
DEADLINE_S = 7200.0
BLIND = 2
"Groups that are confirmed or corrected by blind audit for each correction of the rule."


def simulate_groups(
    *,
    corrections: int,
    seed: int,
    run_night: RunNight,
    taught: Path | None = None,
    held_out: int = 60,
    sizes: Sizes | None = None,
    overrides: Mapping[str, Any] | None = None,
    progress: Progress = lambda *_: None,
) -> dict[str, Any]:
    """Figures of groups under the changed rule (`rule`) and of all others (`elsewhere`), before and after the night.

    `taught` is where a benchmark with the same sizes and seed kept both stages; without it they are taught first.
    """
    if corrections < 1:
        raise NightshiftError(f"{corrections} corrections: at least 1 is needed")
    began, sizes = time.perf_counter(), sizes or Sizes()
    with tempfile.TemporaryDirectory(prefix="nightshift-simulate-") as scratch:
        folder = Path(scratch)
        if taught is None:
            known = [drawn_group(number, seed=seed) for number in range(sizes.groups)]
            stage_a, stage_b, warm = _taught(folder, known, sizes, seed)
        else:
            stage_a, stage_b, warm = kept_in(taught.resolve(), seed=seed, sizes=sizes._asdict())
        progress(1, 4)
        ws = _home(folder, sizes, stage_a, warm, stage_b, overrides or {})
        rule = _under_the_rule("rule", corrections, seed)
        blind = [drawn_group(FIRST["elsewhere"] + n, seed=seed) for n in range(BLIND * corrections)]
        words = _live_through(ws, folder / "live", rule, blind)
        progress(2, 4)
        suites = {
            "rule": _under_the_rule("unseen_rule", held_out, seed),
            "elsewhere": _elsewhere(held_out, seed),
        }
        for name, groups in suites.items():
            draw_groups(folder / name, _relabelled(groups))
        before = {name: evaluate_groups(ws, folder / name) for name in suites}
        night = run_night(ws, NAME, seed)
        progress(3, 4)
        challenger = {name: evaluate_groups(ws, folder / name, release=str(night["challenger"])) for name in suites}
        after = {name: evaluate_groups(ws, folder / name) for name in suites}
    progress(4, 4)
    return {
        **words,
        "nights": [night],
        "before": before,
        "challenger": challenger,
        "after": after,
        "seconds": round(time.perf_counter() - began, 1),
    }


def _taught(folder: Path, known: Sequence[DrawnGroup], sizes: Sizes, seed: int) -> Taught:
    stage_a = taught_summariser(
        folder / "a", known, steps=sizes.stage_a_steps, batch_size=sizes.stage_a_batch, learning_rate=1e-3, seed=seed
    )
    lines = [group.summaries for group in known]
    warm = warmed_up(
        folder / "b",
        read_groups(sizes, seed),
        reading_steps=sizes.reading_steps,
        steps=sizes.warm_up_steps,
        batch_size=sizes.warm_up_batch,
        learning_rate=1e-3,
        seed=seed,
    )
    learnt, _ = learn_verdicts(folder / "verdicts", warm, known, lines, sizes, seed=seed)
    return Taught(stage_a, learnt, warm)


def _home(
    folder: Path,
    sizes: Sizes,
    stage_a: VlmPolicy,
    warm: VlmPolicy,
    stage_b: VlmPolicy,
    overrides: Mapping[str, Any],
) -> Workspace:
    """A home whose champion knows the old rule."""
    told = {
        "model": str(warm.folder),
        "summary_model": str(stage_a.folder),
        "summary_max_pixels": PIXELS,
        "rank": RANK,
        "steps": max(1, sizes.steps // 4),
        "batch_size": sizes.batch_size,
        "group_size": sizes.group_size,
        "learning_rate": sizes.learning_rate,
        "max_new_tokens": LONGEST,
    }
    # A machine without an accelerator takes its time; two folds tell what five would.
    own = {
        "learning": {**overrides.get("learning", {}), "deadline_s": DEADLINE_S},
        "gate": {**overrides.get("gate", {}), "folds": 2},
    }
    ws = Workspace.open(folder / "home", **{**overrides, **own, "environments": (NAME,), "group_qc": told})
    untrained = ws.registry.champion(NAME)
    assert untrained is not None
    stage_b.save(_made(folder / "champion"))
    put = ws.registry.put(folder / "champion", environment=NAME, policy=stage_b.name, parent=None, run=None)
    release = ws.registry.release(NAME, {SUMMARIES: untrained.checkpoints[SUMMARIES], "policy": put.id})
    ws.registry.promote_by_hand(release, expected=untrained.id, reason="it knows the old rule", by="simulation")
    return ws


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def _under_the_rule(part: str, count: int, seed: int) -> list[DrawnGroup]:
    """Groups that passed until now, with a missing label on a photo."""
    found: list[DrawnGroup] = []
    number = FIRST[part]
    while len(found) < count:
        group = drawn_group(number, seed=seed, mission=CHANGED[number % len(CHANGED)])
        number += 1
        if group.verdict == PASS and _unlabelled(group):
            found.append(group)
    return found


def _elsewhere(count: int, seed: int) -> list[DrawnGroup]:
    drawn = (drawn_group(FIRST["unseen"] + number, seed=seed) for number in range(10 * count))
    return [group for group in drawn if not (group.mission in CHANGED and _unlabelled(group))][:count]


def _unlabelled(group: DrawnGroup) -> bool:
    return any(LABELS[1] in photo.facts for photo in group.photos)


def _expected(group: DrawnGroup) -> str:
    return FAIL if _unlabelled(group) else group.verdict


def _relabelled(groups: Sequence[DrawnGroup]) -> list[DrawnGroup]:
    return [group.judged(_expected(group)) for group in groups]


def _live_through(
    ws: Workspace, folder: Path, rule: Sequence[DrawnGroup], blind: Sequence[DrawnGroup]
) -> dict[str, int]:
    """People look at the groups and say what they are by the new rule; how many words, and how many corrected."""
    inspector = Inspector.load(ws)
    draw_groups(folder, [*rule, *blind])
    corrected = said = 0
    for chosen_by, groups in ((ChosenBy.VOLUNTEERED, rule), (ChosenBy.RANDOM_AUDIT, blind)):
        by_name = {group.name: group for group in groups}
        for mission in MISSIONS:
            photos = [one_group(folder / name) for name, group in by_name.items() if group.mission == mission]
            for found in inspect_groups(inspector, photos, mission_of(ws, mission), None):
                if found.prediction is None:
                    continue
                group = by_name[found.group]
                verdict = _expected(group)
                correct(ws, found.prediction.id, verdict, reason=reason_of(group), chosen_by=chosen_by)
                corrected += found.prediction.answer != verdict
                said += 1
    return {"feedback": said, "corrections": corrected}
