"""Judge: what nobody labelled, and what people did, to see what the judge's word is worth."""

from collections.abc import Iterable, Sequence

from pydantic import JsonValue

from core.judge import Judge, Spent, earned_weight, is_spent_budget
from core.schema import Example, Judgment, Label, Prediction, Release, Run
from core.services.classify import Classifier
from core.services.judging import judge_examples, stored_judgments, unscored_reasons
from core.services.night.ingest import snapshot, trained_on
from core.services.night.record import stage
from core.services.workspace import Workspace
from core.store import Lease

__all__ = ["judge", "judgments_of"]

MAX_DOUBTFUL = 100
"Unlabelled predictions judged in a night, the most doubtful first."
MOST_OF_A_NIGHT = 50_000
MOST_REASONS = 5


@stage("judge")
def judge(ws: Workspace, run: Run, lease: Lease) -> dict[str, JsonValue]:
    """Judgments of labelled and of doubtful examples, and the share of the reward the judge has earned."""
    known = snapshot(ws, run)
    teacher = ws.environment(run.environment).judge(ws.settings)
    labelled = [known.examples[label.example] for label in known.labels]
    # Where a person could not tell, no machine's word is learnt in their place.
    doubtful = _doubtful(ws, run, {word.example for word in (*known.labels, *known.cannot_tell)})
    judged = judge_examples(
        ws.store,
        teacher,
        [*labelled, *doubtful],
        ws.library,
        spent=_spent(ws, run, teacher),
        told=lambda *_: lease.renew(),
    )
    judgments = judged.of_example
    share, both = _earned(ws, run, known.labels, known.examples, judgments)
    return {
        "judge": teacher.name,
        "judged": len(judgments),
        "unscored": sum(judgment.unscored is not None for judgment in judgments.values()),
        "unscored_why": _reasons(judgments.values()),
        "budget_spent": any(is_spent_budget(judgment.unscored or "") for judgment in judgments.values()),
        "doubtful": [example.id for example in doubtful],
        "share": round(share, 4),
        "compared": both,
        "calls": judged.calls,
        "cost_usd": judged.cost_usd,
        "warning": "; ".join(teacher.warnings),
    }


def judgments_of(ws: Workspace, run: Run, examples: Sequence[Example]) -> dict[str, Judgment]:
    """Stored judgments by example id; examples that were not judged are not in it."""
    return stored_judgments(ws.store, ws.environment(run.environment).judge(ws.settings), examples)


def _spent(ws: Workspace, run: Run, teacher: Judge) -> Spent:
    """What this night has spent before, where it was interrupted."""
    mine = ws.store.find(
        Judgment, environment=run.environment, judge=teacher.name, newest_first=True, limit=MOST_OF_A_NIGHT
    )
    return Spent.on([judgment for judgment in mine if judgment.at >= run.at])


def _reasons(judgments: Iterable[Judgment]) -> str:
    """The commonest reasons why nothing was scored, in words."""
    commonest = unscored_reasons(judgments).most_common(MOST_REASONS)
    return "; ".join(f"{reason} ({times})" for reason, times in commonest)


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
