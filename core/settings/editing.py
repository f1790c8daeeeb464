"""Changing the settings file of a home from within: what else stands there stays, and what is wrong is refused."""

import fcntl
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import tomlkit
from pydantic import BaseModel, JsonValue

from core.disk import write_through
from core.schema import NightshiftError
from core.settings.tree import Settings, load_settings, read_toml

__all__ = ["Changes", "change_settings", "value_of"]

FILE = "nightshift.toml"
Changes: TypeAlias = Mapping[str, JsonValue]
"Of each key, as `night.schedule`, what it is to be; None takes it out of the file, so that its default counts."


def change_settings(home: Path, changes: Changes) -> tuple[Settings, dict[str, JsonValue]]:
    """Writes the changes, all or none; the settings as they are now, and what stood in the file before (None: nothing).

    Raises NightshiftError, having changed nothing, for a value that will not do, a file that cannot be written, and a
    key that the environment decides.
    """
    path = home / FILE
    with _alone(home):
        document = tomlkit.parse(path.read_text(encoding="utf-8")) if path.exists() else tomlkit.document()
        before = {key: _put(document, key, value) for key, value in changes.items()}
        # In the home, and under another name, so that reading it back is reading what will be there.
        with tempfile.TemporaryDirectory(dir=home, prefix=".settings-") as folder:
            candidate = Path(folder) / FILE
            candidate.write_text(tomlkit.dumps(document), encoding="utf-8")
            settings = load_settings(home, own=read_toml(candidate))
            _refuse_overruled(settings, changes)
            write_through(candidate)
            if path.exists():
                candidate.chmod(path.stat().st_mode)
            candidate.replace(path)
            write_through(home)
    return settings, before


def value_of(settings: Settings, key: str) -> JsonValue:
    """What a key, as `night.schedule`, stands at; JSON-ready."""
    found: Any = settings
    for part in key.split("."):
        found = getattr(found, part)
    return found.model_dump(mode="json") if isinstance(found, BaseModel) else _plain(found)


def _put(document: tomlkit.TOMLDocument, key: str, value: JsonValue) -> JsonValue:
    """Sets a key, or takes it out; what stood there."""
    *tables, name = key.split(".")
    table: Any = document
    for each in tables:
        if each not in table:
            if value is None:
                return None
            table[each] = tomlkit.table()
        table = table[each]
    before = table[name].unwrap() if name in table else None
    if value is None:
        table.pop(name, None)
    else:
        table[name] = value
    return _plain(before)


def _plain(value: Any) -> JsonValue:
    return list(value) if isinstance(value, tuple) else value


def _refuse_overruled(settings: Settings, changes: Changes) -> None:
    """A value that is not as it was asked for was tidied, or the environment says otherwise."""
    for key, value in changes.items():
        section = key.split(".")[0].upper()
        deciding = (f"NIGHTSHIFT_{key.upper().replace('.', '__')}", f"NIGHTSHIFT_{section}")
        overruled = next((name for name in deciding if name in os.environ), None)
        if overruled is not None and value is not None and value_of(settings, key) != value:
            raise NightshiftError(f"{key} is decided by the variable {overruled}; change it there")


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    try:
        with (home / ".settings.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
    except OSError as error:
        raise NightshiftError(f"the settings in {home} cannot be changed: {error.strerror or error}") from error
