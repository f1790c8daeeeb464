"""New groups that lie in a folder: a night looks at them first, so that they wait for the inspectors in the morning.

In the inbox is a folder for each mission, and in each of them what `nightshift group day` takes. Which groups were
looked at is kept in the home, by their files' names, sizes and times, so that the inbox itself is only read. A group
counts as seen once it is answered or stopped: who is killed before that looks at it again.
"""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from core.environments.group_qc.environment import GroupQcEnvironment
from core.environments.group_qc.grouping import Photos, grouped
from core.environments.group_qc.missions import Mission
from core.schema import NightshiftError
from core.services.groups.inspecting import Inspector, inspect_groups, mission_of
from core.services.importing import Progress
from core.services.workspace import Workspace

__all__ = ["inspect_inbox"]

Facts = list[list[JsonValue]]


def inspect_inbox(ws: Workspace, environment: str, *, progress: Progress = lambda *_: None) -> dict[str, Any] | None:
    """Inspects what is new in `group_qc.inbox`; None where there is no inbox. Raises NightshiftError where it is gone.

    JSON-ready: `inspected` is a number; `stopped` and `left_out` name what there is no verdict of, each with why. What
    was stopped is looked at again once its files change.
    """
    inbox = ws.settings.group_qc.inbox
    if environment != GroupQcEnvironment.name or inbox is None:
        return None
    if not inbox.is_dir():
        raise NightshiftError(f"there is no folder {inbox}; `group_qc.inbox` names it")
    seen = _Seen(ws.home / "inbox.jsonl")
    left_out: list[dict[str, str]] = []
    new: list[tuple[Mission, list[Photos]]] = []
    for folder in sorted(path for path in inbox.iterdir() if path.is_dir() and not path.name.startswith(".")):
        try:
            mission = mission_of(ws, folder.name)
            there = grouped(folder, ws.settings.group_qc.group_pattern)
        except NightshiftError as error:
            left_out.append({"file": str(folder), "reason": str(error)})
            continue
        left_out += [{"file": str(path), "reason": why} for path, why in there.left_out]
        new.append((mission, [group for group in there.groups if not seen.has(mission.name, group)]))
    total, done = sum(len(groups) for _, groups in new), 0
    stopped: list[dict[str, str]] = []
    if total:
        with closing(Inspector.load(ws)) as inspector:
            for mission, groups in new:
                of_name = {group.name: group for group in groups}
                for found in inspect_groups(inspector, groups, mission):
                    if found.error is not None:
                        stopped.append({"group": found.group, "reason": found.error})
                    seen.add(mission.name, of_name[found.group])
                    done += 1
                    progress(done, total)
    return {"inspected": done - len(stopped), "stopped": stopped, "left_out": left_out}


class _Seen:
    """The groups that were looked at; one line each, the last of a group counts."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._facts: dict[tuple[str, str], Facts] = {}
        for line in file.read_text(encoding="utf-8").split("\n") if file.exists() else ():
            try:
                mission, group, facts = json.loads(line)
            except ValueError:
                continue  # cut by a kill
            self._facts[mission, group] = facts

    def has(self, mission: str, group: Photos) -> bool:
        return self._facts.get((mission, group.name)) == _facts(group)

    def add(self, mission: str, group: Photos) -> None:
        facts = _facts(group)
        with self._file.open("a", encoding="utf-8") as file:
            file.write("\n" + json.dumps([mission, group.name, facts], ensure_ascii=False))
        self._facts[mission, group.name] = facts


def _facts(group: Photos) -> Facts:
    found = [(path.name, path.stat()) for path in group.files]
    return [[name, stat.st_size, stat.st_mtime_ns] for name, stat in found]
