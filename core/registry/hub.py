"""A repository on the Hugging Face Hub in which releases live.

`main` is the champion there. A release comes first to a branch of its own, is looked at as it can be downloaded from
that commit, and becomes `main` by one commit of copies that names the head it expects: where `main` moved meanwhile
the Hub refuses (412) and nothing changed. A tag that cannot be moved then names the commit for good, and going back
to a release is the same commit of copies from its tag. Every step can be asked for again: what is there already is
found by its name or its hash and not sent twice.
"""

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from core.registry.hub_errors import HubError, HubMoved, wire
from core.registry.shelf import ALLOWED
from core.schema import NightshiftError

__all__ = ["TOKEN", "Hub", "Manifest", "branch_of", "client", "tag_of"]

MANIFEST = "nightshift.json"
CARD = "README.md"
TOKEN = "HF_TOKEN"
"Environment variable with the token; it is stored nowhere else."
KEPT = (".gitattributes",)
"What the Hub itself puts into a repository."


class Manifest(BaseModel):
    """What a commit holds: which release, and where each of its checkpoints comes from."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    version: Literal[1] = 1
    environment: str
    release: str
    checkpoints: dict[str, "Origin"]
    "Role to checkpoint; the files of one stand in the folder of that name."


class Origin(BaseModel):
    """A checkpoint as the registry that pushed it knew it."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    id: str
    policy: str
    parent: str | None = None
    run: str | None = None


def tag_of(release: str) -> str:
    """The immutable tag of a release."""
    return f"release-{release[:12]}"


def branch_of(release: str) -> str:
    """Where a release stands before it is champion, and where it stays if it never is."""
    return f"candidate-{release[:12]}"


def client() -> Any:
    """The Hub's own client, for the server that HF_ENDPOINT names and with the token of the environment alone."""
    # Imported here: it takes half a second, and reads HF_HUB_OFFLINE once.
    from huggingface_hub import HfApi

    # False keeps it from looking for a token in files of the user's home.
    return HfApi(endpoint=os.environ.get("HF_ENDPOINT"), token=os.environ.get(TOKEN) or False)


class Hub:
    """One model repository, through the ordinary client. Raises HubError, in words, for whatever goes wrong."""

    def __init__(self, repo: str, *, private: bool = True) -> None:
        if repo.count("/") != 1:
            raise NightshiftError(
                f"registry.hub {repo!r} names no repository on the Hub; set OWNER/NAME in nightshift.toml"
            )
        self.repo, self.private = repo, private
        self._api = client()

    def prepare(self) -> None:
        """Makes the repository where there is none."""
        with wire(self.repo, "making the repository"):
            self._api.create_repo(self.repo, private=self.private, exist_ok=True)

    def head(self) -> str:
        """The commit that `main` is."""
        return self.commit_of("main")

    def commit_of(self, revision: str) -> str:
        """The commit that a branch, a tag or a commit's own name means."""
        with wire(self.repo, f"looking for {revision!r}"):
            return str(self._api.repo_info(self.repo, revision=revision).sha)

    def tagged(self, release: str) -> str | None:
        """The commit that a release's tag names, or None where there is none yet."""
        return self._refs("tags").get(tag_of(release))

    def manifest(self, commit: str) -> Manifest | None:
        """What a commit holds, or None where it is nothing of ours."""
        with wire(self.repo, f"reading {MANIFEST}"), tempfile.TemporaryDirectory() as folder:
            if not self._api.file_exists(self.repo, MANIFEST, revision=commit):
                return None
            return read_manifest(
                Path(self._api.hf_hub_download(self.repo, MANIFEST, revision=commit, local_dir=folder))
            )

    def refuse_foreign(self, commit: str) -> None:
        """Raises HubError where a commit holds somebody else's model, which a promotion would take away."""
        with wire(self.repo, "listing files"):
            there = set(self._api.list_repo_files(self.repo, revision=commit))
        if MANIFEST not in there and there - {CARD, *KEPT}:
            raise HubError(
                f"main of {self.repo} holds files that are not Nightshift's; give it a repository of its own"
            )

    def upload(self, manifest: Manifest, folders: Mapping[str, Path], card: str) -> str:
        """Puts a release on its branch, and returns the commit; nothing is sent where it is there already."""
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        branch = branch_of(manifest.release)
        at = self._refs("branches").get(branch)
        if at is not None and (found := self.manifest(at)) is not None and found.release == manifest.release:
            return at
        contents: dict[str, Path | bytes] = {
            f"{role}/{path.relative_to(folder).as_posix()}": path
            for role, folder in folders.items()
            for path in sorted(folder.rglob("*"))
            if path.suffix in ALLOWED
        }
        contents |= {MANIFEST: manifest.model_dump_json(indent=1).encode(), CARD: card.encode()}
        with wire(self.repo, f"uploading to {branch}"):
            self._api.create_branch(self.repo, branch=branch, exist_ok=True)
            added = [CommitOperationAdd(name, content) for name, content in contents.items()]
            gone = [CommitOperationDelete(name) for name in self._others(branch, contents)]
            done = self._api.create_commit(
                self.repo, [*added, *gone], revision=branch, commit_message=f"Release {manifest.release[:12]}"
            )
            return str(done.oid)

    def download(self, commit: str, into: Path) -> Manifest:
        """Fetches a commit into a folder, going on from what an earlier try left there; returns what it holds."""
        with wire(self.repo, f"downloading {commit[:12]}"):
            self._api.snapshot_download(self.repo, revision=commit, local_dir=into, max_workers=4)
        return read_manifest(into / MANIFEST)

    def promote(self, release: str, commit: str, *, expected: str) -> str:
        """Makes `main` what `commit` is, if it is still `expected`; returns its new head.

        Raises HubMoved, with nothing changed, where somebody else was quicker.
        """
        from huggingface_hub import CommitOperationCopy, CommitOperationDelete

        with wire(self.repo, "promoting"):
            names = [name for name in self._api.list_repo_files(self.repo, revision=commit) if name not in KEPT]
            copies = [CommitOperationCopy(name, name, src_revision=commit) for name in names]
            gone = [CommitOperationDelete(name) for name in self._others(expected, names)]
            done = self._api.create_commit(
                self.repo,
                [*copies, *gone],
                revision="main",
                parent_commit=expected,
                commit_message=f"Champion: release {release[:12]}",
            )
            return str(done.oid)

    def tag(self, release: str, commit: str) -> str:
        """Names a commit for good, and returns the tag. Raises HubMoved where the tag names another commit."""
        from huggingface_hub.errors import HfHubHTTPError

        name = tag_of(release)
        with wire(self.repo, f"tagging {name}"):
            try:
                self._api.create_tag(self.repo, tag=name, revision=commit)
            except HfHubHTTPError as error:
                if error.response.status_code != 409:
                    raise
        there = self.tagged(release)
        if there != commit:
            raise HubMoved(f"tag {name} of {self.repo} names {(there or 'nothing')[:12]}, not {commit[:12]}")
        return name

    def _refs(self, kind: Literal["tags", "branches"]) -> dict[str, str]:
        with wire(self.repo, f"listing {kind}"):
            refs = self._api.list_repo_refs(self.repo)
        return {ref.name: ref.target_commit for ref in getattr(refs, kind)}

    def _others(self, revision: str, wanted: Sequence[str] | Mapping[str, Any]) -> list[str]:
        """Files at a revision that are not wanted there any more."""
        there = self._api.list_repo_files(self.repo, revision=revision)
        return [name for name in there if name not in wanted and name not in KEPT]


def read_manifest(file: Path) -> Manifest:
    """What a downloaded folder holds. Raises NightshiftError for one that is nothing of ours."""
    try:
        return Manifest.model_validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        raise NightshiftError(f"{file.name} does not say which release this is: {type(error).__name__}") from error
