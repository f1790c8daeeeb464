"""Judge: what nobody labelled, and what people did, to see what the judge's word is worth."""

from collections.abc import Sequence

from pydantic import JsonValue

from core.judge import Judge, earned_weight
from core.schema import Example, Judgment, Label, Prediction, Release, Run
from core.services.classify import Classifier
from core.services.night.ingest import snapshot, trained_on
from core.services.night.record import stage
from core.services.workspace import Workspace
from core.store import Lease

__all__ = ["judge", "judgments_of"]

MAX_DOUBTFUL = 100
"Unlabelled predictions judged in a night, the most doubtful first."


@stage("judge")
def judge(ws: Workspace, run: Run, lease: Lease) -> dict[str, JsonValue]:
    """Judgments of labelled and of doubtful examples, and the share of the reward the judge has earned."""
    known = snapshot(ws, run)
    teacher = ws.environment(run.environment).judge(ws.settings)
    labelled = [known.examples[label.example] for label in known.labels]
    # Where a person could not tell, no machine's word is learnt in their place.
    doubtful = _doubtful(ws, run, {word.example for word in (*known.labels, *known.cannot_tell)})
    judgments = _judge_all(ws, teacher, [*labelled, *doubtful], lease)
    share, both = _earned(ws, run, known.labels, known.examples, judgments)
    unscored = sum(judgment.unscored is not None for judgment in judgments.values())
    return {
        "judge": teacher.name,
        "judged": len(judgments),
        "unscored": unscored,
        "doubtful": [example.id for example in doubtful],
        "share": round(share, 4),
        "compared": both,
        "cost_usd": sum(judgment.cost_usd for judgment in judgments.values()),
    }


def judgments_of(ws: Workspace, run: Run, examples: Sequence[Example]) -> dict[str, Judgment]:
    """Stored judgments by example id; examples that were not judged are not in it."""
    teacher = ws.environment(run.environment).judge(ws.settings)
    ids = [teacher.judgment_id(example, example.answers or ()) for example in examples]
    found = ws.store.find(Judgment, id=ids) if ids else []
    return {judgment.example: judgment for judgment in found}


def _judge_all(ws: Workspace, teacher: Judge, examples: Sequence[Example], lease: Lease) -> dict[str, Judgment]:
    ids = [teacher.judgment_id(example, example.answers or ()) for example in examples]
    cached = {judgment.id: judgment for judgment in (ws.store.find(Judgment, id=ids) if ids else [])}
    for start in range(0, len(examples), 50):
        page = list(zip(examples[start : start + 50], ids[start : start + 50], strict=True))
        new = [teacher.judge(example, example.answers or (), ws.library) for example, id in page if id not in cached]
        ws.store.add(*new)
        cached.update({judgment.id: judgment for judgment in new})
        lease.renew()
    return {example.id: cached[id] for example, id in zip(examples, ids, strict=True)}


def _doubtful(ws: Workspace, run: Run, labelled: set[str]) -> list[Example]:
    predictions = [
        each
        for each in ws.store.find(Prediction, environment=run.environment, limit=2000, newest_first=True)
        if each.example not in labelled and each.at <= run.at
    ]
    most_doubtful = sorted(predictions, key=lambda each: (each.confidence, each.example))
    ids = list(dict.fromkeys(each.example for each in most_doubtful))[:MAX_DOUBTFUL]
    return ws.store.get_many(Example, ids)


def _earned(
    ws: Workspace,
    run: Run,
    labels: Sequence[Label],
    examples: dict[str, Example],
    judgments: dict[str, Judgment],
) -> tuple[float, int]:
    """The judge against the champion, on what a person labelled and the champion did not train on."""
    champion = Classifier.load(ws, run.environment, str(run.config["champion"]))
    (release,) = ws.store.get_many(Release, [champion.release_id])
    learnt = trained_on(ws, release)
    scored = [label for label in labels if label.example not in learnt and judgments[label.example].unscored is None]
    said_NK = champion.answer_logprobs([examples[label.example] for label in scored])
    judge_right, champion_right = [], []
    for label, said_K in zip(scored, said_NK, strict=True):
        answers = examples[label.example].answers or ()
        best = max(judgments[label.example].scores, key=lambda each: each.score)
        judge_right.append(best.answer == label.answer)
        champion_right.append(answers[said_K.index(max(said_K))] == label.answer)
    return earned_weight(judge_right, champion_right), len(scored)
