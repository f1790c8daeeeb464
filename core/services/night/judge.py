"""Judge: what nobody labelled, and what people did, to see what the judge's word is worth."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from pydantic import JsonValue

from core.evaluation import earned_weight
from core.judge import Spent, is_spent_budget
from core.schema import Example, Judgment, Label, Release, Run
from core.services.agreement import said_on, unflattered
from core.services.classify import Classifier
from core.services.judging import fresh_labels, judge_examples, stored_judgments, teacher_of, unscored_reasons
from core.services.night.ingest import last_verdicts, snapshot, trained_on
from core.services.night.record import finished, stage
from core.services.night.variants import known_variants
from core.services.workspace import Workspace
from core.store import Lease

__all__ = ["Comparison", "compare_with_champion", "judge", "judgments_of"]

MAX_DOUBTFUL = 100
"Unlabelled predictions judged in a night, the most doubtful first."
LOOKED_THROUGH = 2000
"Newest verdicts that the doubtful ones are among."
MOST_REASONS = 5


@stage("judge")
def judge(ws: Workspace, run: Run, lease: Lease) -> dict[str, JsonValue]:
    """Judgments of labelled and of doubtful examples, and the share of the reward the judge has earned."""
    known = snapshot(ws, run)
    teacher = teacher_of(ws, run.environment, upto=run.at)
    labelled = [known.examples[label.example] for label in known.labels]
    # Where a person could not tell, or people differ, no machine's word is learnt in their place.
    doubtful = _doubtful(ws, run, known.spoken)
    # Of a verdict that the judge contradicts nobody knows the answer, and of its variants neither.
    varied = finished(ws, run.id, "variants")
    variants = known_variants(ws, varied["ids"])
    undecided = [example for variant, example in variants if variant.answer is None]
    # A verdict alone gives nothing to judge where students write reasons: those are judged as they are sampled.
    writes_reasons = ws.environment(run.environment).answer_form is not None
    judged = judge_examples(
        ws.store,
        teacher,
        [] if writes_reasons else [*labelled, *doubtful, *undecided],
        ws.library,
        since=run.at,
        besides=Spent(varied.get("written_tokens", 0), varied.get("written_usd", 0.0)),
        told=lambda *_: lease.renew(),
    )
    judgments = judged.of_example
    fresh = fresh_labels(ws.store, run.environment, teacher, known.labels)
    champion = Classifier.load(ws, run.environment, str(run.config["champion"]))
    against = compare_with_champion(
        ws, champion, fresh, known.examples, unflattered(teacher, judged, fresh, known.examples)
    )
    return {
        "judge": teacher.name,
        "judged": len(judgments),
        "unscored": sum(judgment.unscored is not None for judgment in judgments.values()),
        "unscored_why": _reasons(judgments.values()),
        "budget_spent": any(is_spent_budget(judgment.unscored or "") for judgment in judgments.values()),
        "doubtful": [example.id for example in doubtful],
        "share": round(against.share, 4) if ws.settings.reward.judge_earns else 1.0,
        "compared": against.compared,
        "calls": judged.calls,
        "tokens": Spent.on(judged.made).tokens,
        "cost_usd": judged.cost_usd,
        "warning": "; ".join(teacher.warnings),
    }


def judgments_of(ws: Workspace, run: Run, examples: Sequence[Example]) -> dict[str, Judgment]:
    """Stored judgments by example id; examples that were not judged are not in it."""
    return stored_judgments(ws.store, teacher_of(ws, run.environment, upto=run.at), examples)


def _reasons(judgments: Iterable[Judgment]) -> str:
    """The commonest reasons why nothing was scored, in words."""
    commonest = unscored_reasons(judgments).most_common(MOST_REASONS)
    return "; ".join(f"{reason} ({times})" for reason, times in commonest)


def _doubtful(ws: Workspace, run: Run, spoken: set[str]) -> list[Example]:
    predictions = [each for each in last_verdicts(ws, run, LOOKED_THROUGH) if each.example not in spoken]
    most_doubtful = sorted(predictions, key=lambda each: (each.confidence, each.example))
    ids = list(dict.fromkeys(each.example for each in most_doubtful))[:MAX_DOUBTFUL]
    return ws.store.get_many(Example, ids)


class Comparison(NamedTuple):
    """A judge against the champion, on what people labelled and neither was made with."""

    compared: int
    wins: int
    "Where the judge alone is right."
    losses: int
    "Where the champion alone is right."
    share: float
    "0..1, what the judge has earned by it."


def compare_with_champion(
    ws: Workspace,
    champion: Classifier,
    labels: Sequence[Label],
    examples: Mapping[str, Example],
    judgments: Mapping[str, Judgment],
) -> Comparison:
    """What the judge gets right beyond the champion on labels that the champion did not train on."""
    (release,) = ws.store.get_many(Release, [champion.release_id])
    learnt = trained_on(ws, release)
    open_ones = [label for label in labels if label.example not in learnt]
    said = [each for each in said_on(open_ones, examples, judgments) if each.is_scored]
    about = [examples[each.judgment.example] for each in said]
    judge_right, champion_right = [], []
    for each, example, said_K in zip(said, about, champion.answer_logprobs(about), strict=True):
        answers = example.answers or ()
        judge_right.append(each.is_right)
        champion_right.append(answers[said_K.index(max(said_K))] == each.expected)
    return Comparison(
        compared=len(said),
        wins=sum(judge and not champion for judge, champion in zip(judge_right, champion_right, strict=True)),
        losses=sum(champion and not judge for judge, champion in zip(judge_right, champion_right, strict=True)),
        share=earned_weight(judge_right, champion_right),
    )
