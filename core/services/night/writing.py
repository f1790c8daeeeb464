"""Descriptions that the judge's model says otherwise, written once and kept as variants of their examples."""

from collections.abc import Iterable, Mapping, Sequence

from core.judge import Rewrite, Spent
from core.learning.variants import Labelled
from core.schema import Example, Run, Variant, content_id
from core.services.judging import teacher_of
from core.services.night.ingest import Snapshot
from core.services.night.kinds import wanted_kinds
from core.services.workspace import Workspace
from core.store import Lease

__all__ = ["Written", "written_for"]

ASKED = "asked"
"The parameter of a variant that a model wrote: what it was asked for."
Written = Mapping[str, Mapping[str, str]]
"""Texts by the ask they may stand for and the way they were asked for."""


def written_for(
    ws: Workspace, run: Run, lease: Lease, known: Snapshot, labelled: Sequence[Labelled]
) -> tuple[Written, Spent]:
    """What stands in the store, and for new labels what is asked for now; with what that cost.

    A text is stored before it is used, so that a night that is run again, and the next one, find it. At most
    `variants.written` of the new descriptions are asked about, the newest first.
    """
    found = _stored(ws, run, labelled)
    new = {label.example for label in known.new}
    asks: dict[str, Labelled] = {}
    for each in reversed(labelled):
        if each.example.id in new:
            asks.setdefault(each.example.ask, each)
    about = dict(list(asks.items())[: ws.settings.variants.written])
    wanted = _missing(ws, run, about, found)
    tokens, usd = 0, 0.0
    if wanted:
        bound = ws.environment(run.environment)
        for page in teacher_of(ws, run.environment, upto=run.at).rewrite(wanted):
            for (ask, how, _), text, of_it, paid in page:
                tokens, usd = tokens + of_it, usd + paid
                if text is not None and bound.may_stand_for(ask, how, text):
                    _keep(ws, run, about[ask], how, text)
                    found.setdefault(ask, {})[how] = text
            lease.renew()
    return found, Spent(tokens, usd)


def _missing(ws: Workspace, run: Run, asks: Iterable[str], found: Written) -> list[Rewrite]:
    """What no night has had written yet, for kinds that are on."""
    kinds = {kind.name for kind in wanted_kinds(ws, run.environment)}
    bound = ws.environment(run.environment)
    return [
        Rewrite(ask, how, words)
        for ask in asks
        for how, words in bound.rewrites(ask).items()
        if _kind(how) in kinds and how not in found.get(ask, {})
    ]


def _stored(ws: Workspace, run: Run, labelled: Sequence[Labelled]) -> dict[str, dict[str, str]]:
    ask_of = {each.example.id: each.example.ask for each in labelled}
    rows = [
        each
        for each in (ws.store.find(Variant, parent=list(ask_of)) if ask_of else [])
        if ASKED in each.parameters and each.environment == run.environment
    ]
    texts = {each.id: each.ask for each in ws.store.get_many(Example, [row.example for row in rows])}
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        found.setdefault(ask_of[row.parent], {})[str(row.parameters[ASKED])] = texts[row.example]
    return found


def _keep(ws: Workspace, run: Run, parent: Labelled, how: str, text: str) -> None:
    example = ws.environment(run.environment).example(
        parent.example.media, text, cluster=parent.example.cluster, parent=parent.example.id
    )
    variant = Variant(
        id=content_id(example.id, _kind(how), parent.answer),
        environment=run.environment,
        example=example.id,
        parent=parent.example.id,
        how=_kind(how),
        parameters={ASKED: how},
        answer=parent.answer,
        run=run.id,
    )
    ws.store.add(example, variant)


def _kind(how: str) -> str:
    return how.split("/", 1)[0]
