"""How group quality control does in use, mission by mission and site by site."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from scipy import stats

from core.environments.group_qc.contract import FAIL, PASS
from core.environments.group_qc.dossier import Dossier
from core.environments.group_qc.environment import GroupQcEnvironment
from core.schema import ChosenBy, Example, Prediction, now
from core.services.workspace import Workspace

__all__ = ["monitored"]

NAME = GroupQcEnvironment.name
RECENT = 5_000
"Newest predictions that are looked at."
LEVEL = 0.95
DRIFTED = 0.01
"Chance below which a change of the pass rate is called drift."


@dataclass
class _Cell:
    """What was said of the groups of one mission, or one mission at one site."""

    lately: list[bool] = field(default_factory=list)
    before: list[bool] = field(default_factory=list)
    audited: list[bool] = field(default_factory=list)
    "Of groups that the model passed and that a person was shown by lot: whether they should have failed."


def monitored(ws: Workspace, days: float = 7.0) -> dict[str, Any]:
    """Pass rate of the last `days` and of before, whether it drifted, and false passes as blind audits estimate them.

    By mission, and within each by site, where the names of groups say the site. JSON-ready. A group's photos count once
    a mission, with the first verdict that a model gave them: one that an inspector came to by mended lines is held
    against what was said by the lines that were wrong.
    """
    predictions = ws.store.find(Prediction, environment=NAME, limit=RECENT, newest_first=True)
    labels = [
        label
        for label in ws.store.labels(NAME)
        if label.chosen_by is ChosenBy.RANDOM_AUDIT and label.answer in (PASS, FAIL)
    ]
    wanted = {each.example for each in predictions} | {label.example for label in labels}
    examples = {each.id: each for each in ws.store.find(Example, id=wanted)} if wanted else {}
    first = {_group(examples[said.example]): said for said in predictions if not said.from_person}
    audits = {_group(examples[label.example]): str(label.answer) for label in labels}
    cells: dict[tuple[str, str | None], _Cell] = {}
    since = now() - timedelta(days=days)
    for group, said in first.items():
        mission, site = group[0], _site(examples[said.example])
        for key in ((mission, None), (mission, site)):
            _count(cells.setdefault(key, _Cell()), said, audits.get(group), since)
    missions = sorted({mission for mission, _ in cells})
    return {
        "days": days,
        "missions": {
            mission: {
                **_figures(cells[mission, None]),
                "sites": {
                    str(site): _figures(cell)
                    for (of, site), cell in sorted(cells.items(), key=lambda each: str(each[0]))
                    if of == mission and site is not None
                },
            }
            for mission in missions
        },
    }


def _group(example: Example) -> tuple[str, frozenset[str]]:
    """What is inspected, whatever its lines are and in whatever order its photos came."""
    return Dossier.parse(example.ask).mission, frozenset(example.media)


def _site(example: Example) -> str:
    site, separator, _ = example.cluster.partition("/")
    return site if separator else "unknown"


def _count(cell: _Cell, said: Prediction, audit: str | None, since: datetime) -> None:
    passes = said.answer == PASS
    (cell.lately if said.at >= since else cell.before).append(passes)
    if passes and audit is not None:
        cell.audited.append(audit == FAIL)


def _figures(cell: _Cell) -> dict[str, Any]:
    drift = None
    if cell.lately and cell.before:
        table = [[sum(side), len(side) - sum(side)] for side in (cell.lately, cell.before)]
        drift = float(stats.fisher_exact(table).pvalue)
    return {
        "groups": len(cell.lately),
        "pass_rate": _share(cell.lately),
        "groups_before": len(cell.before),
        "pass_rate_before": _share(cell.before),
        "drift_p": drift,
        "drifted": drift is not None and drift < DRIFTED,
        "audited_passes": len(cell.audited),
        "false_passes": _share(cell.audited),
        "false_passes_at_most": _upper(cell.audited),
    }


def _share(held: Sequence[bool]) -> float | None:
    return sum(held) / len(held) if held else None


def _upper(held: Sequence[bool]) -> float | None:
    """One-sided upper bound of a share (Clopper and Pearson, Biometrika 26, 1934)."""
    if not held:
        return None
    found, n = sum(held), len(held)
    return 1.0 if found == n else float(stats.beta.ppf(LEVEL, found + 1, n - found))
