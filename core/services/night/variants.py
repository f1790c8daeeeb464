"""Variants: what people said is said again of screens and descriptions that differ in what should not matter."""

import io
from collections.abc import Sequence
from itertools import chain

from pydantic import JsonValue

from core.learning import answer
from core.learning.variants import Draft, Labelled, VariantContext, VariantKind, draft_variants
from core.media import intake
from core.policy import Library
from core.schema import Example, Media, Prediction, Run, Variant, content_id
from core.services.clusters import VARIANT_SOURCE
from core.services.night.ingest import Snapshot, snapshot
from core.services.night.record import stage
from core.services.workspace import Workspace
from core.store import Lease

__all__ = ["VARIANT_SEED", "keep_draft", "known_variants", "labelled_examples", "make_variants", "variant_weight"]

VARIANT_SEED = 0
"Variants follow from their parents alone, so that one night's are found again by the next."
MAX_REPAINTED_PARENTS = 20
"Parents whose pixels are changed in a night: each of those is read again, at most of a second."
KEPT_WORDS = 0.5
"A changed picture must still show this share of the words its parent showed."


@stage("variants")
def make_variants(ws: Workspace, run: Run, lease: Lease) -> dict[str, JsonValue]:
    """Up to `learning.variants_per_correction` a label; those whose evidence got lost on the way are dropped."""
    known = snapshot(ws, run)
    bound = ws.environment(run.environment)
    labelled = labelled_examples(ws, run, known)
    repainted = set(_worth_repainting(ws, known, labelled))
    context = VariantContext(labelled, ws.library)
    dropped: dict[str, int] = {}
    made: dict[str, int] = {}
    ids: list[str] = []
    for each in labelled:
        kinds = [kind for kind in bound.variant_kinds if not kind.changes_pixels or each.example.id in repainted]
        limit = ws.settings.learning.variants_per_correction
        for draft in draft_variants(each, kinds, context, seed=VARIANT_SEED, limit=limit):
            variant = keep_draft(ws, run, draft)
            tally = dropped if variant is None else made
            tally[draft.how] = tally.get(draft.how, 0) + 1
            if variant is not None:
                ids.append(variant.id)
        lease.renew()
    return {
        "variants": len(ids),
        "made": dict(made),
        "dropped": dict(dropped),
        "ids": list[JsonValue](sorted(set(ids))),
    }


def labelled_examples(ws: Workspace, run: Run, known: Snapshot) -> list[Labelled]:
    """The labels to train on, each with whether the untrained policy would have said otherwise."""
    bound = ws.environment(run.environment)
    fresh = bound.untrained_policy(ws.settings)
    examples = [known.examples[label.example] for label in known.train]
    said_NK = answer(fresh, examples, ws.library).tolist() if examples else []
    answers = bound.answers or ()
    return [
        Labelled(example, label.answer, surprising=answers[said_K.index(max(said_K))] != label.answer)
        for example, label, said_K in zip(examples, known.train, said_NK, strict=True)
    ]


def _worth_repainting(ws: Workspace, known: Snapshot, labelled: Sequence[Labelled]) -> list[str]:
    """Corrected verdicts first, then surprising labels: that is where a lesson has to hold on other pixels."""
    answered = [label.prediction for label in known.train if label.prediction]
    said = {each.id: each.answer for each in ws.store.get_many(Prediction, answered)}
    corrected = {label.example for label in known.train if label.prediction and said[label.prediction] != label.answer}
    order = chain(
        (each for each in labelled if each.example.id in corrected),
        (each for each in labelled if each.surprising and each.example.id not in corrected),
    )
    return [each.example.id for each in order][:MAX_REPAINTED_PARENTS]


def keep_draft(ws: Workspace, run: Run, draft: Draft) -> Variant | None:
    """Stores a draft with its example; None where the evidence got lost on the way."""
    bound = ws.environment(run.environment)
    media = draft.parent.media
    if draft.image is not None:
        changed = _store_picture(ws, draft)
        if not _evidence_kept(ws.library, draft.parent.media[0], changed.id):
            return None
        media = (changed.id,)
    example = bound.example(media, draft.ask, cluster=draft.parent.cluster, parent=draft.parent.id)
    variant = Variant(
        id=content_id(example.id, draft.how, draft.answer),
        environment=run.environment,
        example=example.id,
        parent=draft.parent.id,
        how=draft.how,
        parameters=draft.parameters,
        answer=draft.answer,
        run=run.id,
    )
    ws.store.add(example, variant)
    return variant


def _store_picture(ws: Workspace, draft: Draft) -> Media:
    assert draft.image is not None
    buffer = io.BytesIO()
    draft.image.save(buffer, "PNG")
    media, png = intake(buffer.getvalue(), ws.settings.media, source=VARIANT_SOURCE)
    ws.blobs.put(media.blob, png)
    ws.store.add(media)
    ws.library.remember(media)
    return media


def _evidence_kept(library: Library, before: str, after: str) -> bool:
    words = set(library.reading(before).text.lower().split())
    left = words & set(library.reading(after).text.lower().split())
    return not words or len(left) >= KEPT_WORDS * len(words)


def variant_weight(kind: VariantKind) -> float:
    """How much a variant counts beside a person's own word: less where its label is only presumed to flip."""
    return 0.1 if kind.label == "keeps" else 0.03


def known_variants(ws: Workspace, ids: Sequence[str]) -> list[tuple[Variant, Example]]:
    """Variants with their examples, in the order of `ids`."""
    variants = ws.store.get_many(Variant, ids)
    examples = ws.store.get_many(Example, [variant.example for variant in variants])
    return list(zip(variants, examples, strict=True))
