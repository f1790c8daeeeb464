"""Variants: what people said is said again of screens and descriptions that differ in what should not matter.

Descriptions are varied here; pictures are made and read by whoever `spread` has at hand. Which pictures are made
follows from the labels and from stated costs, never from the clock, so that a night that is run again makes the same.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain

from pydantic import JsonValue

from core.judge import Spent
from core.learning import answer
from core.learning.variants import Draft, Labelled, VariantContext, VariantKind, draft_variants, plan_pictures
from core.schema import Example, Media, Prediction, Run, Variant, content_id
from core.services.judging import judge_examples, teacher_of
from core.services.night.ingest import Snapshot, snapshot
from core.services.night.kinds import wanted_kinds
from core.services.night.parents import disagreements, neighbours
from core.services.night.pictures import VARIANT_SEED, Candidate, Piece, Spread, candidate_of, in_this_process
from core.services.night.record import Stage, stage
from core.services.night.writing import written_for
from core.services.workspace import Workspace
from core.store import Lease

__all__ = [
    "keep_draft",
    "known_variants",
    "labelled_examples",
    "make_variants",
    "make_variants_by",
]

KEPT = 0.6
"A variant that still shows so much of what decides its label keeps it."
GONE = 0.35
"One that shows less is dropped; of one in between the judge decides."
PAGE = 200


def make_variants_by(spread: Spread) -> Stage:
    """The stage, where `spread` makes the pictures."""

    def work(ws: Workspace, run: Run, lease: Lease) -> dict[str, JsonValue]:
        return _make(ws, run, lease, spread)

    return stage("variants")(work)


make_variants = make_variants_by(in_this_process)
"""Up to `learning.variants_per_correction` of each label and each disagreement of student and judge; those whose
evidence got lost on the way are dropped."""


def _make(ws: Workspace, run: Run, lease: Lease, spread: Spread) -> dict[str, JsonValue]:
    known = snapshot(ws, run)
    kinds = wanted_kinds(ws, run.environment)
    labelled = labelled_examples(ws, run, known)
    unlabelled = disagreements(ws, run, known)
    order = _worth_repainting(ws, known, labelled)
    plan, spent_s = plan_pictures(
        [*order, *unlabelled],
        kinds,
        seed=VARIANT_SEED,
        limit=ws.settings.learning.variants_per_correction,
        budget_s=ws.settings.variants.picture_seconds,
    )
    parents = [*labelled, *unlabelled]
    written, spent = written_for(ws, run, lease, known, labelled)
    context = VariantContext(labelled, ws.library, neighbours(ws, run, parents), written)
    found = [
        *_described_otherwise(ws, run, lease, parents, kinds, context, plan),
        *_shown_otherwise(ws, run, lease, parents, plan, spread),
    ]
    spoken = known.spoken
    # What a person spoke of is no variant; what two kinds come to is one.
    candidates = list({_variant_id(each): each for each in found if each.example.id not in spoken}.values())
    kept, doubtful = _sorted_out(candidates)
    confirmed = _confirmed(ws, run, lease, doubtful, spent)
    made = [*kept, *confirmed]
    _write(ws, run, made)
    dropped = Counter(each.how for each in candidates) - Counter(each.how for each in made)
    return {
        "variants": len(made),
        "made": dict(Counter(each.how for each in made)),
        "dropped": dict(dropped),
        "judge_asked": len(doubtful),
        "judge_confirmed": len(confirmed),
        "disagreements": len(unlabelled),
        "picture_seconds": spent_s,
        "written_tokens": spent.tokens,
        "written_usd": spent.usd,
        "ids": list[JsonValue](sorted(_variant_id(each) for each in made)),
    }


def labelled_examples(ws: Workspace, run: Run, known: Snapshot) -> list[Labelled]:
    """The labels to train on, each with whether the untrained policy would have said otherwise."""
    bound = ws.environment(run.environment)
    fresh = bound.untrained_policy(ws.settings)
    examples = [known.examples[label.example] for label in known.train]
    said_NK = answer(fresh, examples, ws.library).tolist() if examples else []
    answers = bound.answers or ()
    return [
        Labelled(example, label.answer, answers[said_K.index(max(said_K))] != label.answer, label.reason)
        for example, label, said_K in zip(examples, known.train, said_NK, strict=True)
    ]


def _worth_repainting(ws: Workspace, known: Snapshot, labelled: Sequence[Labelled]) -> list[Labelled]:
    """Corrected verdicts, then surprising labels, the newest first: there a lesson has to hold on other pixels."""
    answered = [label.prediction for label in known.train if label.prediction]
    said = {each.id: each.answer for each in ws.store.get_many(Prediction, answered)}
    corrected = {label.example for label in known.train if label.prediction and said[label.prediction] != label.answer}
    newest_first = list(reversed(labelled))
    return list(
        chain(
            (each for each in newest_first if each.example.id in corrected),
            (each for each in newest_first if each.surprising and each.example.id not in corrected),
        )
    )


def _described_otherwise(
    ws: Workspace,
    run: Run,
    lease: Lease,
    parents: Sequence[Labelled],
    kinds: Sequence[VariantKind],
    context: VariantContext,
    plan: dict[str, list[VariantKind]],
) -> Iterator[Candidate]:
    """Variants that need no picture to be made; there is room for as many as no picture will take."""
    without_pixels = [kind for kind in kinds if not kind.changes_pixels]
    for parent in parents:
        room = ws.settings.learning.variants_per_correction - len(plan.get(parent.example.id, ()))
        for draft in draft_variants(parent, without_pixels, context, seed=VARIANT_SEED, limit=room):
            yield candidate_of(ws, run.environment, draft)
        lease.renew()


def _shown_otherwise(
    ws: Workspace,
    run: Run,
    lease: Lease,
    parents: Sequence[Labelled],
    plan: dict[str, list[VariantKind]],
    spread: Spread,
) -> Iterator[Candidate]:
    """Variants with pictures of their own, whose rows are written as they come."""
    chosen = [parent for parent in parents if parent.example.id in plan]
    pictures = {each.id: each for each in ws.store.get_many(Media, [each.example.media[0] for each in chosen])}
    pieces = [
        Piece(
            parent=each.example,
            answer=each.answer,
            picture=pictures[each.example.media[0]],
            kinds=tuple(kind.name for kind in plan[each.example.id]),
        )
        for each in chosen
    ]
    for made in spread(ws, run.environment, pieces):
        ws.store.add(*(each.picture for each in made if each.picture is not None))
        yield from made
        lease.renew()


def _sorted_out(candidates: Sequence[Candidate]) -> tuple[list[Candidate], list[Candidate]]:
    """What keeps its evidence, and what the judge has to decide. Of a disagreement it could only repeat itself."""
    kept, doubtful = [], []
    for each in candidates:
        if each.left >= KEPT and not each.doubtful:
            kept.append(each)
        elif each.left >= GONE and each.answer is not None:
            doubtful.append(each)
    return kept, doubtful


def _confirmed(ws: Workspace, run: Run, lease: Lease, doubtful: Sequence[Candidate], spent: Spent) -> list[Candidate]:
    """Those of which the judge says what is expected; where it says nothing there is no variant."""
    if not doubtful:
        return []
    examples = [each.example for each in doubtful]
    ws.store.add(*examples)
    teacher = teacher_of(ws, run.environment, upto=run.at)
    judged = judge_examples(
        ws.store, teacher, examples, ws.library, since=run.at, besides=spent, told=lambda *_: lease.renew()
    ).of_example
    return [each for each in doubtful if judged[each.example.id].verdict == each.answer]


def _write(ws: Workspace, run: Run, candidates: Sequence[Candidate]) -> None:
    for start in range(0, len(candidates), PAGE):
        page = candidates[start : start + PAGE]
        ws.store.add(*(each.example for each in page), *(_variant(run, each) for each in page))


def keep_draft(ws: Workspace, run: Run, draft: Draft) -> Variant | None:
    """Stores a draft with its example; None where the evidence got lost on the way."""
    candidate = candidate_of(ws, run.environment, draft)
    if candidate.picture is not None:
        ws.store.add(candidate.picture)
    kept, _ = _sorted_out([candidate])
    _write(ws, run, kept)
    return _variant(run, candidate) if kept else None


def _variant_id(candidate: Candidate) -> str:
    return content_id(candidate.example.id, candidate.how, candidate.answer)


def _variant(run: Run, candidate: Candidate) -> Variant:
    return Variant(
        id=_variant_id(candidate),
        environment=run.environment,
        example=candidate.example.id,
        parent=candidate.parent,
        how=candidate.how,
        parameters=candidate.parameters,
        answer=candidate.answer,
        run=run.id,
    )


def known_variants(ws: Workspace, ids: Sequence[str]) -> list[tuple[Variant, Example]]:
    """Variants with their examples, in the order of `ids`. A neighbour that was asked itself is its parent's child."""
    variants = ws.store.get_many(Variant, ids)
    examples = ws.store.get_many(Example, [variant.example for variant in variants])
    return [
        (variant, example.model_copy(update={"parent": variant.parent}))
        for variant, example in zip(variants, examples, strict=True)
    ]
