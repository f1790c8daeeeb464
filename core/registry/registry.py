"""The local registry: checkpoint folders on disk, releases, champion and history in the store.

The champion is a pointer in the store, swapped together with its line of history in one transaction; the folders it
leads to are complete before anything points to them. So a reader sees the old champion or the new one, never half.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from core.registry.history import rollback_target
from core.registry.shelf import Shelf
from core.schema import (
    AuditEntry,
    Checkpoint,
    Decision,
    Mark,
    NightshiftError,
    Outcome,
    Promotion,
    Release,
    Unavailable,
    content_id,
    new_id,
)
from core.store import Store

__all__ = ["Registry", "Telling"]

SWAPS_TRIED = 20

Telling = Callable[[Promotion | Mark], AuditEntry]
"""Makes the line of the audit log about a change, which is stored in the transaction of that change."""


class Registry:
    """Where releases live. Any number of processes may have one over the same folder and store."""

    def __init__(self, root: Path, store: Store) -> None:
        self.root = root
        self.store = store
        self.shelf = Shelf(root)

    def put(
        self, directory: Path, *, environment: str, policy: str, parent: str | None = None, run: str | None = None
    ) -> Checkpoint:
        """Keeps a copy of a checkpoint folder. The same content gives the same checkpoint, as it was first recorded.

        Raises NightshiftError for a folder with anything else than plain .safetensors, .json, .txt and .md files.
        """
        id = self.shelf.add(directory)
        self.store.add(Checkpoint(id=id, environment=environment, policy=policy, parent=parent, run=run))
        return self.store.get_many(Checkpoint, [id])[0]

    def path(self, checkpoint: str) -> Path:
        """The folder of a checkpoint, whole. Raises Unavailable where it is missing or damaged."""
        return self.shelf.path(checkpoint)

    def sweep(self) -> int:
        """Removes what killed processes left half copied; returns how many copies."""
        return self.shelf.sweep()

    def release(self, environment: str, checkpoints: dict[str, str]) -> Release:
        """Names the checkpoints (role to id) that serve together, and keeps that. All must be here, and whole."""
        release = Release.make(environment, checkpoints)
        with self.shelf.still():
            self._verify(release)
            self.store.add(release)
        return self.store.get_many(Release, [release.id])[0]

    def champion(self, environment: str) -> Release | None:
        """The release that serves, or None before the first was installed."""
        id = self.store.champion(environment)
        return None if id is None else self.store.get_many(Release, [id])[0]

    def challenger(self, environment: str) -> Release | None:
        """The release registered last among those with a checkpoint that a run made, whatever became of it.

        It follows from the stored releases, so it needs no pointer of its own; where the last night was promoted it
        is the champion.
        """
        from_runs = {c.id for c in self.store.find(Checkpoint, environment=environment) if c.run is not None}
        newest_first = self.store.find(Release, environment=environment, newest_first=True)
        return next((release for release in newest_first if from_runs & set(release.checkpoints.values())), None)

    def history(self, environment: str) -> list[Promotion]:
        """Every change of champion, oldest first."""
        return self.store.find(Promotion, environment=environment)

    def install(self, release: Release, reason: str, *, by: str = "nightshift") -> Promotion:
        """Makes the first champion. Installing the same one again changes nothing.

        Raises NightshiftError where another release is champion: it takes a decision to replace it.
        """
        self.store.add(release)
        promotion = Promotion(
            id=content_id("install", release.environment, release.id),
            environment=release.environment,
            release=release.id,
            previous=None,
            action="install",
            reason=reason,
            by=by,
        )
        return self._swap(promotion)

    def promote(
        self,
        release: Release,
        *,
        expected: str | None,
        decision: Decision,
        lease: str | None,
        token: int | None,
        telling: Telling | None = None,
    ) -> Promotion:
        """Makes the release champion on the strength of a decision, if the champion is still `expected`.

        A decision promotes once: with one that did so before, this returns that promotion and changes nothing, even
        after a rollback. With a lease, its token is checked inside the swap (LeaseLost). Raises NightshiftError for a
        decision that does not promote this release over `expected`, for damaged files, and where the champion moved.
        """
        _require_promotion(release, expected, decision)
        id = content_id("promotion", release.environment, decision.id)
        if "rejected" in self.marks(release) and self.store.get(Promotion, id) is None:
            raise NightshiftError(f"release {release.id[:12]} was rejected by a person; only a person can promote it")
        self.store.add(release, decision)
        promotion = Promotion(
            id=id,
            environment=release.environment,
            release=release.id,
            previous=expected,
            action="promote",
            decision=decision.id,
            token=token,
            reason=decision.reason,
        )
        return self._swap(promotion, lease=lease, telling=telling)

    def rollback(
        self, environment: str, *, reason: str, by: str, to: str | None = None, telling: Telling | None = None
    ) -> Promotion:
        """Goes back to the champion before the present one, or to the earlier one whose id begins with `to`.

        Several in a row go further back each time. Raises NightshiftError where there is nothing to go back to, the
        files of that release are damaged, or the champion changed at the same moment (nothing is done then).
        """
        return self._swap(self._way_back(environment, reason=reason, by=by, to=to), telling=telling)

    def promote_by_hand(
        self, release: Release, *, expected: str | None, reason: str, by: str, telling: Telling | None = None
    ) -> Promotion:
        """Makes the release champion on a person's word, if the champion is still `expected`.

        Raises NightshiftError for damaged files, a quarantined release, and where the champion is another by now.
        """
        if expected == release.id:
            raise NightshiftError(f"{release.id[:12]} is the champion of {release.environment!r} already")
        promotion = Promotion(
            id=new_id(),
            environment=release.environment,
            release=release.id,
            previous=expected,
            action="promote",
            reason=reason,
            by=by,
        )
        return self._swap(promotion, telling=telling)

    def mark(
        self,
        release: Release,
        mark: Literal["rejected", "quarantined"],
        *,
        reason: str,
        by: str,
        telling: Telling | None = None,
    ) -> Mark:
        """Rejects or quarantines a release for good; doing so again changes nothing.

        A quarantined champion is replaced, in the same transaction, by the champion before it that is not quarantined
        itself. Raises NightshiftError where there is none, and for rejecting the champion.
        """
        made = Mark.make(release.environment, release.id, mark, reason, by)
        told = () if telling is None else (telling(made),)
        is_champion = self.store.champion(release.environment) == release.id
        if mark == "rejected":
            if is_champion:
                raise NightshiftError(f"{release.id[:12]} is champion; roll back or quarantine it instead")
            self.store.add(made, *told)
            return self.store.get_many(Mark, [made.id])[0]
        for _ in range(SWAPS_TRIED):
            with self.shelf.still():
                is_champion = self.store.champion(release.environment) == release.id
                retreat = None
                if is_champion:
                    retreat = self._way_back(release.environment, reason=f"quarantined: {reason}", by=by)
                    self._verify(self.store.get_many(Release, [retreat.release])[0])
                if retreat is not None and retreat.previous != release.id:
                    continue
                if self.store.quarantine(made, retreat, told=told):
                    return self.store.get_many(Mark, [made.id])[0]
        raise NightshiftError(f"the champion of {release.environment!r} kept changing; nothing was done, try again")

    def marks(self, release: Release) -> dict[str, Mark]:
        """What was said of a release for good, by the kind of mark; the newest of each."""
        found = self.store.find(Mark, environment=release.environment, release=release.id)
        return {mark.mark: mark for mark in found}

    def quarantined(self, environment: str) -> set[str]:
        """Ids of the releases that never serve again."""
        return {mark.release for mark in self.store.find(Mark, environment=environment, mark="quarantined")}

    def named(self, environment: str, name: str) -> Release:
        """The release that `name` means: `champion`, `challenger`, an id, or how one begins.

        Raises NightshiftError where there is none, or several.
        """
        meant = {"champion": self.champion, "challenger": self.challenger}.get(name)
        if meant is not None:
            found = meant(environment)
            if found is None:
                fault = Unavailable if name == "champion" else NightshiftError
                raise fault(f"{environment} has no {name}; `nightshift doctor` says what is wrong")
            return found
        known = [r for r in self.store.find(Release, environment=environment) if name and r.id.startswith(name)]
        if len(known) != 1:
            which = f"{len(known)} releases" if known else "no release"
            raise NightshiftError(f"{which} of {environment} begins with {name!r}; see `nightshift models list`")
        return known[0]

    def _way_back(self, environment: str, *, reason: str, by: str, to: str | None = None) -> Promotion:
        history = self.history(environment)
        target = rollback_target(environment, history, to, self.quarantined(environment))
        return Promotion(
            id=new_id(),
            environment=environment,
            release=target,
            previous=history[-1].release,
            action="rollback",
            reason=reason,
            by=by,
        )

    def _swap(self, promotion: Promotion, *, lease: str | None = None, telling: Telling | None = None) -> Promotion:
        with self.shelf.still():
            self._verify(self.store.get_many(Release, [promotion.release])[0])
            swapped = self.store.swap_champion(
                promotion.environment,
                expected=promotion.previous,
                new=promotion.release,
                promotion=promotion,
                lease=lease,
                token=promotion.token,
                told=() if telling is None else (telling(promotion),),
            )
        if not swapped:
            present = self.store.champion(promotion.environment) or "none"
            expected = promotion.previous or "none"
            raise NightshiftError(
                f"the champion of {promotion.environment!r} is {present[:12]}, not {expected[:12]} as expected; "
                f"{promotion.release[:12]} was not made champion"
            )
        return self.store.get_many(Promotion, [promotion.id])[0]

    def _verify(self, release: Release) -> None:
        for role, checkpoint in release.checkpoints.items():
            try:
                self.path(checkpoint)
            except NightshiftError as error:
                raise NightshiftError(f"release {release.id[:12]} cannot serve as {role}: {error}") from error
        self.store.get_many(Checkpoint, release.checkpoints.values())


def _require_promotion(release: Release, expected: str | None, decision: Decision) -> None:
    if decision.outcome is not Outcome.PROMOTED:
        raise NightshiftError(f"release {release.id[:12]} was not promoted by its decision but {decision.outcome}")
    if (decision.environment, decision.challenger) != (release.environment, release.id):
        raise NightshiftError(
            f"the decision is about {decision.challenger[:12]} for {decision.environment!r}, "
            f"not about {release.id[:12]} for {release.environment!r}"
        )
    if decision.champion != expected:
        raise NightshiftError(
            f"the decision compared with champion {decision.champion[:12]}, not with {(expected or 'none')[:12]}"
        )
