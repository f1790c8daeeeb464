"""Missions: what a group of photos is inspected for. Each is a data file; a user's folder adds to those shipped."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from core.schema import NightshiftError

__all__ = ["Mission", "missions", "named"]

SHIPPED = Path(__file__).parent / "data" / "missions"
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


class Mission(BaseModel):
    """One inspection: its name in files and commands, and what both stages are told about it, in Chinese."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    title: str = Field(min_length=1, max_length=20)
    focus: str = Field(min_length=1, max_length=100)
    "What decides, in one sentence."
    checklist: tuple[str, ...] = Field(min_length=1, max_length=12)
    "What has to hold for the group to pass."
    prompt: str = Field(min_length=1, max_length=500)
    "What stage A is to tell of one photo."

    @field_validator("name")
    @classmethod
    def _is_a_name(cls, name: str) -> str:
        if not NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name: small letters, digits and underscores, a letter first")
        return name

    @field_validator("title", "focus", "checklist", "prompt")
    @classmethod
    def _on_one_line(cls, told: str | tuple[str, ...]) -> str | tuple[str, ...]:
        for text in (told,) if isinstance(told, str) else told:
            if not text.strip() or text != text.strip() or len(text.splitlines()) != 1:
                raise ValueError(f"{text!r} must be one line without spaces around it")
        return told


def missions(folder: Path | None = None) -> Mapping[str, Mission]:
    """By name: those shipped, and those of `folder` (`*.toml`), which win over a shipped one of the same name.

    Raises NightshiftError for a folder that is not there and a file that does not fit, naming the file and why.
    """
    found = {mission.name: mission for mission in map(_read, sorted(SHIPPED.glob("*.toml")))}
    if folder is not None:
        if not folder.is_dir():
            raise NightshiftError(f"group_qc.missions: there is no folder {folder}")
        own = [_read(path) for path in sorted(folder.glob("*.toml"))]
        found |= {mission.name: mission for mission in own}
    titles = [mission.title for mission in found.values()]
    if twice := next((title for title in titles if titles.count(title) > 1), None):
        raise NightshiftError(f"two missions have the title {twice!r}; a title says which mission a group is of")
    return MappingProxyType(found)


def named(name: str, folder: Path | None = None) -> Mission:
    """The mission called `name`. Raises NightshiftError naming those there are."""
    known = missions(folder)
    if name not in known:
        raise NightshiftError(f"no mission {name!r}; there are: {', '.join(sorted(known))}")
    return known[name]


def _read(path: Path) -> Mission:
    try:
        mission = Mission.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise NightshiftError(f"the mission {path} cannot be read: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise NightshiftError(f"the mission {path} does not fit: {where}: {first['msg']}") from error
    if mission.name != path.stem:
        raise NightshiftError(f"the mission {path} calls itself {mission.name!r}; file and name must agree")
    return mission
