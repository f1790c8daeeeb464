"""Releases to a hub and back: pushed to a branch, looked at as downloaded, made champion there, pulled elsewhere."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from core.evaluation import summarise
from core.policy.calibration import Calibration
from core.registry.card import Facts, render_card
from core.registry.hub import Hub, Manifest, Origin, tag_of
from core.registry.hub_dataset import keep_dataset_version
from core.registry.hub_errors import HubError
from core.schema import (
    Checkpoint,
    DatasetVersion,
    Decision,
    Evaluation,
    Example,
    HubStep,
    NightshiftError,
    Release,
    new_id,
)
from core.services.classify import Classifier
from core.services.releases import dataset_version, lineage, promote_release, why_not_loaded
from core.services.workspace import Workspace

__all__ = ["pull", "push"]

Tell = Callable[[str], None]
ASKED = 200
"Stored examples that a downloaded release answers beside the one here."


def push(ws: Workspace, environment: str, name: str = "champion", *, tell: Tell = lambda _: None) -> dict[str, Any]:
    """Takes a release to the hub; the champion here becomes the champion there, any other stays a candidate.

    Each step is kept in the store and may be asked for again. Raises HubError, with `main` as it was, where the hub
    or the way to it fails, and NightshiftError for a release that is damaged or quarantined.
    """
    release = ws.registry.named(environment, name)
    _refuse_quarantined(ws, release)
    hub = _hub(ws, environment)
    try:
        return _push(ws, release, hub, tell)
    except NightshiftError as error:
        _keep(ws, release, "failed", reason=str(error))
        raise


def _push(ws: Workspace, release: Release, hub: Hub, tell: Tell) -> dict[str, Any]:
    hub.prepare()
    head = hub.head()
    hub.refuse_foreign(head)
    standing = hub.manifest(head)
    if standing is not None and standing.environment != release.environment:
        raise HubError(
            f"main of {hub.repo} is a release of {standing.environment!r}; one of {release.environment!r} needs a "
            'repository of its own: write hub = "OWNER/NAME-{environment}"'
        )
    commit = hub.tagged(release.id)
    if commit is None:
        tell(f"uploading {release.id[:12]} to {hub.repo}")
        folders = {role: ws.registry.path(each) for role, each in release.checkpoints.items()}
        commit = hub.upload(_manifest(ws, release), folders, render_card(_facts(ws, release)))
        _keep(ws, release, "uploaded", commit)
    tell(f"looking at {commit[:12]} as it can be downloaded")
    asked = _look_at(ws, release, hub, commit)
    _keep(ws, release, "evaluated", commit, f"{asked} examples answered bit for bit as here")
    done = {"release": release.id, "repo": hub.repo, "candidate": commit, "examples": asked}
    if ws.store.champion(release.environment) != release.id:
        return {**done, "promoted": False, "commit": None, "tag": None}
    _refuse_quarantined(ws, release)
    if standing is not None and standing.release == release.id:
        promoted = head
    else:
        promoted = hub.promote(release.id, commit, expected=head)
        _keep(ws, release, "promoted", promoted, f"{head[:12]} was the head")
    tag = tag_of(release.id)
    if hub.tagged(release.id) is None:
        tag = hub.tag(release.id, promoted)
        _keep(ws, release, "tagged", promoted, tag)
    _push_dataset(ws, release, tell)
    return {**done, "promoted": True, "commit": promoted, "tag": tag}


def _push_dataset(ws: Workspace, release: Release, tell: Tell) -> None:
    """Keeps the dataset version that a release learnt from in a repository of its own, where one is set."""
    repo = ws.settings.registry.hub_dataset_of(release.environment)
    version = _dataset_version(ws, release)
    if not repo or version is None:
        return
    tell(f"keeping dataset version {version.id[:12]} in {repo}")
    answers = {each.example: each.answer for each in ws.store.labels(release.environment)}
    roles = {id: role for role, ids in version.items.items() for id in ids}
    examples = ws.store.find(Example, id=set(roles))
    rows = [
        {"role": roles[e.id], "example": e.id, "media": e.media, "ask": e.ask, "answer": answers.get(e.id)}
        for e in examples
    ]
    commit = keep_dataset_version(repo, version, rows, private=ws.settings.registry.private)
    _keep(ws, release, "dataset", commit, f"{len(rows)} rows, without pictures, of version {version.id[:12]} in {repo}")


def pull(
    ws: Workspace, environment: str, revision: str = "main", *, promote: bool, reason: str = "", by: str | None = None
) -> dict[str, Any]:
    """Fetches the release that a tag, branch or commit names, and makes it champion here where `promote`.

    Raises HubError where it cannot be fetched, and NightshiftError for one whose files are not what their hash says,
    that does not load, is of another environment, or was quarantined here; then nothing here changed.
    """
    hub = _hub(ws, environment)
    commit = hub.commit_of(revision)
    folder = _incoming(ws, commit)
    manifest = hub.download(commit, folder)
    if manifest.environment != environment:
        raise NightshiftError(f"{revision} of {hub.repo} is a release of {manifest.environment!r}, not {environment!r}")
    wanted = Release.make(environment, {role: each.id for role, each in manifest.checkpoints.items()})
    if wanted.id != manifest.release:
        raise NightshiftError(f"{revision} of {hub.repo} calls itself {manifest.release[:12]} and is {wanted.id[:12]}")
    _refuse_quarantined(ws, wanted)
    for role, origin in manifest.checkpoints.items():
        _take_in(ws, environment, folder / role, origin)
    release = ws.registry.release(environment, wanted.checkpoints)
    fault = why_not_loaded(ws, release)
    if fault is not None:
        raise NightshiftError(f"{release.id[:12]} came from {hub.repo} and cannot serve: {fault}")
    shutil.rmtree(folder, ignore_errors=True)
    _keep(ws, release, "pulled", commit, revision)
    is_champion = ws.store.champion(environment) == release.id
    if promote and not is_champion:
        promote_release(ws, environment, release.id, reason=reason or f"pulled {revision} of {hub.repo}", by=by)
    champion = ws.store.champion(environment)
    return {"release": release.id, "repo": hub.repo, "commit": commit, "revision": revision, "champion": champion}


def _hub(ws: Workspace, environment: str) -> Hub:
    told = ws.settings.registry
    repo = told.hub_of(environment)
    if not repo:
        raise NightshiftError('no repository on the Hub is set; write hub = "OWNER/NAME" under [registry]')
    return Hub(repo, private=told.private)


def _refuse_quarantined(ws: Workspace, release: Release) -> None:
    if release.id in ws.registry.quarantined(release.environment):
        raise NightshiftError(f"release {release.id[:12]} is quarantined; it goes to no hub and comes from none")


def _look_at(ws: Workspace, release: Release, hub: Hub, commit: str) -> int:
    """Downloads a commit, and asks what came the same as the release here; how many examples were asked."""
    folder = _incoming(ws, commit)
    manifest = hub.download(commit, folder)
    if manifest.release != release.id:
        raise HubError(f"{commit[:12]} of {hub.repo} holds release {manifest.release[:12]}, not {release.id[:12]}")
    for role, id in release.checkpoints.items():
        if ws.registry.shelf.id_of(folder / role) != id:
            raise HubError(f"{role} of {commit[:12]} in {hub.repo} is not what was sent; main stays as it is")
    policy_class = ws.environment(release.environment).policy_class(manifest.checkpoints["policy"].policy)
    theirs = Classifier(
        ws,
        release.environment,
        policy_class.load(folder / "policy"),
        Calibration.read(folder / "policy"),
        release.id,
    )
    examples = ws.store.find(Example, environment=release.environment, limit=ASKED, newest_first=True)
    ours = Classifier.of_release(ws, release)
    if theirs.answer_logprobs(examples) != ours.answer_logprobs(examples):
        raise HubError(f"{commit[:12]} of {hub.repo} answers otherwise than the release here; main stays as it is")
    shutil.rmtree(folder, ignore_errors=True)
    return len(examples)


def _take_in(ws: Workspace, environment: str, folder: Path, origin: Origin) -> None:
    if ws.registry.shelf.id_of(folder) != origin.id:
        raise NightshiftError(f"checkpoint {origin.id[:12]} is damaged: its files are not what its name says")
    ws.registry.put(folder, environment=environment, policy=origin.policy, parent=origin.parent, run=origin.run)


def _incoming(ws: Workspace, commit: str) -> Path:
    """Where a commit is downloaded to: the same place each time, so that a cut is gone on from."""
    return ws.settings.registry_dir / "downloads" / commit


def _manifest(ws: Workspace, release: Release) -> Manifest:
    made = ws.store.get_many(Checkpoint, release.checkpoints.values())
    origins = {
        role: Origin(id=each.id, policy=each.policy, parent=each.parent, run=each.run)
        for role, each in zip(release.checkpoints, made, strict=True)
    }
    return Manifest(environment=release.environment, release=release.id, checkpoints=origins)


def _dataset_version(ws: Workspace, release: Release) -> DatasetVersion | None:
    (made,) = ws.store.get_many(Checkpoint, [release.checkpoints["policy"]])
    version = dataset_version(ws, made.run) if made.run else None
    return ws.store.get(DatasetVersion, version) if version else None


def _facts(ws: Workspace, release: Release) -> Facts:
    (made,) = ws.store.get_many(Checkpoint, [release.checkpoints["policy"]])
    learnt = _dataset_version(ws, release)
    decisions = ws.store.find(Decision, environment=release.environment, challenger=release.id)
    evaluations = ws.store.find(Evaluation, environment=release.environment, release=release.id)
    bound = ws.environment(release.environment)
    figures = {each.suite: (summarise(each.scores).accuracy, len(each.scores)) for each in evaluations if each.scores}
    return Facts(
        release=release,
        title=bound.title,
        answers=bound.answers or (),
        policy=made.policy,
        licence=ws.settings.registry.licence,
        dataset_version=learnt.id if learnt else None,
        items={role: len(ids) for role, ids in learnt.items.items()} if learnt else {},
        lineage=lineage(ws, release),
        run=made.run,
        decision=decisions[-1] if decisions else None,
        accuracies={suite: (share, n) for suite, (share, n) in figures.items() if share is not None},
    )


def _keep(
    ws: Workspace,
    release: Release,
    step: Literal["uploaded", "evaluated", "promoted", "tagged", "pulled", "dataset", "failed"],
    commit: str | None = None,
    reason: str = "",
) -> None:
    ws.store.add(
        HubStep(
            id=new_id(),
            environment=release.environment,
            release=release.id,
            repo=ws.settings.registry.hub_of(release.environment),
            step=step,
            commit=commit,
            reason=reason,
        )
    )
