"""Dataset versions in a dataset repository: which examples, with which labels; never the pictures themselves."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from core.registry.hub import client
from core.registry.hub_errors import wire
from core.schema import DatasetVersion

__all__ = ["keep_dataset_version"]


def keep_dataset_version(
    repo: str, version: DatasetVersion, rows: Sequence[Mapping[str, Any]], *, private: bool
) -> str:
    """Writes a version as one commit with a tag of its own, and returns the commit; one that is there stays as it is.

    Raises HubError where that fails.
    """
    from huggingface_hub import CommitOperationAdd

    api, tag = client(), f"version-{version.id[:12]}"
    with wire(repo, "keeping the dataset version"):
        api.create_repo(repo, repo_type="dataset", private=private, exist_ok=True)
        refs = api.list_repo_refs(repo, repo_type="dataset")
        there = next((ref.target_commit for ref in refs.tags if ref.name == tag), None)
        if there is not None:
            return str(there)
        lines = "".join(json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n" for row in rows)
        contents = {f"{version.environment}/{version.id}.jsonl": lines, "README.md": _card(version)}
        added = [CommitOperationAdd(name, text.encode()) for name, text in contents.items()]
        message = f"Dataset version {version.id[:12]}"
        done = api.create_commit(repo, added, repo_type="dataset", revision="main", commit_message=message)
        api.create_tag(repo, tag=tag, revision=done.oid, repo_type="dataset", exist_ok=True)
    return str(done.oid)


def _card(version: DatasetVersion) -> str:
    counted = "\n".join(f"- {role}: {len(ids)}" for role, ids in version.items.items())
    return (
        f"---\ntags: [nightshift, {version.environment}]\n---\n\n"
        f"# What nights of {version.environment!r} learnt from\n\n"
        "One file a version, one line an example: its role, its id, the hashes of its pictures, what was asked, and "
        "the label a person gave. The pictures are not here.\n\n"
        f"The newest version is `{version.id}`:\n\n{counted}\n"
    )
