"""The stages of a bootstrap, each of which goes on where it was when it is run again.

    pictures   from a source into the store, one of each group of near-duplicates
    captions   what each shows, in words
    questions  works that each picture is held against: on task, near miss, off task
    judge      the configured judge's opinion of each; what it does not score is left out
    select     balanced, easy before hard, validation in clusters of its own -> a dataset version

A judge's labels never become corrections: they stand in roles of their own in a dataset version. Clusters that would be
golden, if people labelled them, are not trained on, and clusters that people have labelled are left alone.
"""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from pydantic import JsonValue

from core.environments.screen.work_domains import load_domains
from core.learning.captioning import Captioner
from core.media import ImageRefused
from core.schema import Example, Judgment, Media, NightshiftError, Run
from core.services.bootstrap.record import Ledger, Told, once, stage_of
from core.services.bootstrap.selection import Candidate, select_version
from core.services.bootstrap.sources import FoundPicture, named_source
from core.services.classify import take_in
from core.services.judging import judge_examples, stored_judgments, teacher_of, unscored_reasons
from core.services.workspace import Workspace
from core.settings import BootstrapSettings
from core.store import Lease

__all__ = ["captions", "judge", "judged_candidates", "pictures", "questions", "select"]

PICTURES_AN_EXAMPLE = 0.9
"A picture gives up to two questions; some are not scored, and answers do not come in equal numbers."
FILES = {"pictures": "pictures.jsonl", "questions": "questions.jsonl"}
PAGE = 32
MOST_REASONS = 5


def pictures(ws: Workspace, run: Run, lease: Lease) -> dict[str, Any]:
    """Takes in as many pictures as the set needs. Raises NightshiftError for a source without any."""

    def work(told: Told) -> dict[str, JsonValue]:
        wanted = _wanted(_settings(run))
        source = named_source(ws, str(run.config["source"]))
        ledger = Ledger(ws.run_dir(run.id) / FILES["pictures"])
        seen = {entry["cluster"] for entry in ledger.entries if entry.get("cluster")} | _labelled_clusters(ws, run)
        kept = sum(entry.get("kept", False) for entry in ledger.entries)
        if kept < wanted:
            for found in source.pictures(after=ledger.place):
                media = _taken_in(ws, found)
                cluster = ws.clusters.cluster(media) if media is not None else None
                keep = cluster is not None and cluster not in seen
                told_of = {"media": media, "cluster": cluster if keep else None, "kept": keep}
                ledger.add({"place": found.place, **told_of})
                if keep and cluster is not None:
                    seen.add(cluster)
                    kept += 1
                    told(kept, wanted)
                if kept >= wanted:
                    break
        if not kept:
            raise NightshiftError(f"{run.config['source']!r} holds no picture that can be used")
        left_out = sum(entry.get("media") is None for entry in ledger.entries)
        return {
            "looked_at": len(ledger.entries),
            "pictures": kept,
            "left_out": left_out,
            "duplicates": len(ledger.entries) - kept - left_out,
        }

    return once(ws, run, lease, "pictures", work)


def captions(ws: Workspace, run: Run, lease: Lease) -> dict[str, Any]:
    """Describes every picture; captions are kept beside readings, and erased with the picture."""

    def work(told: Told) -> dict[str, JsonValue]:
        said = _described(ws, run, _kept(ws, run), told)
        return {"captions": len(said), "unique": len(set(said.values()))}

    return once(ws, run, lease, "captions", work)


def questions(ws: Workspace, run: Run, lease: Lease) -> dict[str, Any]:
    """Maps captions to works and stores the examples."""

    def work(told: Told) -> dict[str, JsonValue]:
        settings = _settings(run)
        domains = load_domains(settings.domains)
        stage_of(ws, run, "captions")
        media = _kept(ws, run)
        captions = _described(ws, run, media, told)
        ledger = Ledger(ws.run_dir(run.id) / FILES["questions"])
        known = {entry["example"] for entry in ledger.whole}
        for done, id in enumerate(media, start=1):
            for proposal in domains.proposals(captions[id], settings.least_similarity, Random(f"{run.seed}/{id}")):
                example = ws.environment(run.environment).example((id,), proposal.work, cluster=ws.clusters.cluster(id))
                if example.id not in known and ws.store.get(Media, id) is not None:
                    ws.store.add(example)
                    ledger.add({"example": example.id, "domain": proposal.domain, "relation": proposal.relation})
                    known.add(example.id)
            told(done, len(media))
        return {"questions": len(ledger.entries), "domains": len(domains.domains)}

    return once(ws, run, lease, "questions", work)


def judge(ws: Workspace, run: Run, lease: Lease) -> dict[str, Any]:
    """Asks the configured judge about every question; judgments are in the store as they come."""

    def work(told: Told) -> dict[str, JsonValue]:
        teacher = teacher_of(ws, run.environment, upto=run.at)
        examples = ws.store.get_many(Example, [entry["example"] for entry in _questions(ws, run)])

        def heard(done: int, total: int) -> None:
            lease.renew()
            told(done, total)

        judged = judge_examples(ws.store, teacher, examples, ws.library, since=run.at, told=heard)
        said = judged.of_example.values()
        reasons = unscored_reasons(said).most_common(MOST_REASONS)
        scored = sum(judgment.unscored is None for judgment in said)
        if not scored:
            raise NightshiftError(
                f"judge {teacher.name!r} scored none of {len(examples)} questions: "
                f"{reasons[0][0] if reasons else 'it said nothing'}"
            )
        return {
            "judge": teacher.name,
            "prompt_version": teacher.prompt_version,
            "judged": len(judged.of_example),
            "unscored": len(judged.of_example) - scored,
            "unscored_why": "; ".join(f"{reason} ({times})" for reason, times in reasons),
            "calls": judged.calls,
            "cost_usd": judged.cost_usd,
        }

    return once(ws, run, lease, "judge", work)


def select(ws: Workspace, run: Run, lease: Lease) -> dict[str, Any]:
    """Chooses what is trained on and what is set aside, and stores it as a dataset version.

    Raises NightshiftError where the judge gave one answer only.
    """

    def work(told: Told) -> dict[str, JsonValue]:  # noqa: ARG001
        settings = _settings(run)
        candidates = judged_candidates(ws, run)
        share = float(str(run.config["golden_share"]))
        chosen = select_version(candidates, run.environment, settings, golden_share=share, seed=run.seed)
        ws.store.add(chosen.version)
        return {"dataset_version": chosen.version.id, **chosen.figures}

    return once(ws, run, lease, "select", work)


def judged_candidates(ws: Workspace, run: Run) -> list[Candidate]:
    """Every question that the judge scored and no person has spoken about, in the order they were made."""
    entries = _questions(ws, run)
    examples = {each.id: each for each in ws.store.find(Example, id={entry["example"] for entry in entries})}
    teacher = teacher_of(ws, run.environment, upto=run.at)
    judged = stored_judgments(ws.store, teacher, list(examples.values()))
    spoken = {label.example for label in ws.store.labels(run.environment)}
    return [
        candidate
        for entry in entries
        if (example := examples.get(entry["example"])) is not None and example.id not in spoken
        if (candidate := _candidate(example, judged.get(example.id), entry)) is not None
    ]


def _candidate(example: Example, judgment: Judgment | None, entry: Mapping[str, Any]) -> Candidate | None:
    """None where the judge scored nothing, or could not tell the answers apart."""
    if judgment is None or judgment.unscored is not None:
        return None
    scores = [judgment.score_of(answer) for answer in example.answers or ()]
    known = [score for score in scores if score is not None]
    if len(known) != len(scores) or sum(known) <= 0 or known.count(max(known)) > 1:
        return None
    best = known.index(max(known))
    return Candidate(
        example=example,
        answer=(example.answers or ())[best],
        confidence=known[best] / sum(known),
        domain=str(entry["domain"]),
        relation=str(entry["relation"]),
    )


def _questions(ws: Workspace, run: Run) -> list[dict[str, Any]]:
    stage_of(ws, run, "questions")
    return Ledger(ws.run_dir(run.id) / FILES["questions"]).whole


def _kept(ws: Workspace, run: Run) -> list[str]:
    """Pictures of this bootstrap that have not been erased since."""
    stage_of(ws, run, "pictures")
    ids = [entry["media"] for entry in Ledger(ws.run_dir(run.id) / FILES["pictures"]).whole if entry["kept"]]
    here = {media.id for media in ws.store.find(Media, id=set(ids))} if ids else set()
    return [id for id in ids if id in here]


def _taken_in(ws: Workspace, found: FoundPicture) -> str | None:
    if found.media is not None:
        return found.media
    if found.data is None:
        return None
    try:
        return take_in(ws, found.data, name=None, source="bootstrap", session=None).id
    except ImageRefused:
        return None


def _labelled_clusters(ws: Workspace, run: Run) -> set[str]:
    """Clusters that people have said something about: theirs is the word there."""
    ids = [label.example for label in ws.store.labels(run.environment)]
    return {example.cluster for example in ws.store.get_many(Example, ids)}


def _wanted(settings: BootstrapSettings) -> int:
    return max(4, round(PICTURES_AN_EXAMPLE * (settings.examples + settings.validation)))


def _settings(run: Run) -> BootstrapSettings:
    return BootstrapSettings.model_validate(run.config["bootstrap"])


def _described(ws: Workspace, run: Run, media: Sequence[str], told: Told) -> dict[str, str]:
    """What each picture shows: as it is kept, else asked of the captioner, a page at a time."""
    settings = _settings(run)
    captioner = Captioner(settings.captioner, tokens=settings.caption_tokens, batch=settings.caption_batch)
    name = f"caption-{captioner.name}"
    known = {id: caption for id in media if (caption := ws.cache.text(id, name)) is not None}
    missing = [id for id in media if id not in known]
    for start in range(0, len(missing), PAGE):
        page = missing[start : start + PAGE]
        for id, caption in zip(page, captioner.describe([ws.library.image(id) for id in page]), strict=True):
            ws.cache.keep_text(id, name, caption)
            known[id] = caption
        told(len(known), len(media))
    return known
