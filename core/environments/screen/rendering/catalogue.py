"""The applications there are templates of: what each says, by language, and what is worked on in it.

A folder of the user's own has the same form as `templates/`: `apps/*.toml`, `layouts/*.html`, and `words/*.toml` for
further languages. What is of the same name takes the place of ours.
"""

import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.schema import NightshiftError

__all__ = ["KINDS", "TEMPLATES", "Application", "Catalogue", "Kind", "Matter", "load_catalogue"]

TEMPLATES = Path(__file__).parents[1] / "templates"
Kind = Literal["desktop", "web", "phone"]
KINDS: tuple[Kind, ...] = get_args(Kind)


class Matter(BaseModel):
    """Something that is on a screen: a document, a thread, a page. No other matter is about the same."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    title: str = Field(min_length=1)
    items: tuple[str, ...] = Field(min_length=1)
    "Entries: subjects, rows, cards, files."
    body: tuple[str, ...] = Field(min_length=1)
    "Sentences."
    lines: tuple[str, ...] = ()
    "Code, or the output of a command."
    works: tuple[str, ...] = ()
    "Descriptions of work for which a screen with this matter is on task; none where it is leisure."


class Application(BaseModel):
    """A program or site, with what can be on its screen. The n-th matters of all languages are translations."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str = Field(min_length=1)
    layout: str
    category: str
    kinds: tuple[Kind, ...] = Field(min_length=1)
    accent: str
    menu: bool = False
    "Whether its windows have a row of menus."
    leisure: bool = False
    matters: dict[str, tuple[Matter, ...]]


class Catalogue(BaseModel):
    """All applications and the words of user interfaces."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)
    applications: tuple[Application, ...]
    words: dict[str, SimpleNamespace]
    folders: tuple[Path, ...]
    "Where layouts are looked for, first things first."

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(self.words)

    def of(self, kind: Kind, language: str) -> list[Application]:
        """Applications that there are on such a screen in a language. Raises NightshiftError where there is none."""
        if language not in self.words:
            raise NightshiftError(f"there is no language {language!r}; there are {', '.join(self.words)}")
        found = [app for app in self.applications if kind in app.kinds and app.matters.get(language)]
        if not found:
            raise NightshiftError(f"no application has a template for {kind} in language {language!r}")
        return found


def load_catalogue(own: Path | None = None) -> Catalogue:
    """Our templates, and those of `own` before them. Raises NightshiftError naming what is wrong in which file."""
    if own is not None and not any((own / "apps").glob("*.toml")):
        raise NightshiftError(f"{own} has no apps/*.toml; a folder of templates has apps/, and layouts/ of its own")
    folders = (TEMPLATES,) if own is None else (own, TEMPLATES)
    words: dict[str, dict[str, Any]] = {}
    applications: dict[str, Application] = {}
    for folder in reversed(folders):
        words |= {path.stem: _toml(path) for path in sorted((folder / "words").glob("*.toml"))}
        applications |= {path.stem: _application(path, folders) for path in sorted((folder / "apps").glob("*.toml"))}
    known = {language: SimpleNamespace(**_whole(language, of, words["en"])) for language, of in words.items()}
    return Catalogue(applications=tuple(applications.values()), words=known, folders=folders)


def _application(path: Path, folders: tuple[Path, ...]) -> Application:
    told = _toml(path)
    matters = {name: told.pop(name) for name in list(told) if isinstance(told[name], list) and len(name) == 2}
    try:
        app = Application.model_validate({**told, "matters": matters})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise NightshiftError(f"{path}: {where}: {first['msg']}") from error
    if not any((folder / "layouts" / f"{app.layout}.html").is_file() for folder in folders):
        raise NightshiftError(f"{path} names the layout {app.layout!r}, and there is no layouts/{app.layout}.html")
    return app


def _whole(language: str, words: dict[str, Any], english: dict[str, Any]) -> dict[str, Any]:
    missing = sorted(english.keys() - words.keys())
    if missing:
        raise NightshiftError(f"words/{language}.toml lacks {missing[0]!r}")
    return words


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise NightshiftError(f"{path} is not valid TOML: {error}") from error
