"""What variants are made of besides labels: verdicts that the judge contradicts, and neighbours in a session."""

from collections.abc import Sequence

from core.learning.variants import Labelled
from core.schema import Example, Prediction, Run
from core.services.judging import stored_judgments, teacher_of
from core.services.night.ingest import Snapshot, is_golden, last_verdicts
from core.services.workspace import Workspace

__all__ = ["disagreements", "neighbours"]

LOOKED_THROUGH = 2000
"Newest verdicts that are searched for disagreements."
MOST_DISAGREEMENTS = 50
REACH = 2
"Screens before and after one that count as its neighbours."


def disagreements(ws: Workspace, run: Run, known: Snapshot) -> list[Labelled]:
    """Verdicts nobody spoke of that the judge, in an earlier night, contradicted; newest first, never golden.

    Who is right nobody knows, so they have no answer: only the judge speaks for their variants, as for themselves.
    """
    spoken = known.spoken
    said = {
        each.example: each.answer
        for each in reversed(last_verdicts(ws, run, LOOKED_THROUGH))
        if each.example not in spoken and not each.from_person
    }
    if not said:
        return []
    examples = {each.id: each for each in ws.store.get_many(Example, list(said))}
    teacher = teacher_of(ws, run.environment, upto=run.at)
    judged = stored_judgments(ws.store, teacher, list(examples.values()), upto=run.at)
    contradicted = [
        examples[example]
        for example, answer in reversed(said.items())
        if (judgment := judged.get(example)) is not None
        and judgment.verdict not in (None, answer)
        and not is_golden(examples[example].cluster, ws.settings.gate.golden_share)
    ]
    return [Labelled(example, None) for example in contradicted[:MOST_DISAGREEMENTS]]


def neighbours(ws: Workspace, run: Run, parents: Sequence[Labelled]) -> dict[str, list[str]]:
    """By picture: those next to it in its session that are near-duplicates of it, nearest first.

    A screen of another cluster may be other work. It may also be golden, or evidence in another fold, and nothing that
    is measured on may be trained on under the name of its neighbour.
    """
    examples = [parent.example.id for parent in parents]
    made = ws.store.find(Prediction, environment=run.environment, example=examples) if examples else []
    names = sorted({each.session for each in made if each.session is not None and each.at <= run.at})
    wanted = {parent.example.media[0] for parent in parents}
    found: dict[str, list[str]] = {}
    for name in names:
        shown = _screens(ws, run, name)
        for place, media in enumerate(shown):
            if media in wanted:
                near = [shown[at] for at in _places_near(place, len(shown))]
                alike = [each for each in near if ws.clusters.cluster(each) == ws.clusters.cluster(media)]
                found[media] = list(dict.fromkeys([*found.get(media, ()), *alike]))
    return found


def _screens(ws: Workspace, run: Run, session: str) -> list[str]:
    """The pictures of a session in the order in which they were first sent, as it was when the night began."""
    made = ws.store.find(Prediction, environment=run.environment, session=session)
    examples = ws.store.get_many(Example, [each.example for each in made if each.at <= run.at])
    return list(dict.fromkeys(each.media[0] for each in examples))


def _places_near(place: int, count: int) -> list[int]:
    """The places up to REACH away, nearest first, before before after."""
    around = [place + step for distance in range(1, REACH + 1) for step in (-distance, distance)]
    return [at for at in around if 0 <= at < count]
