"""Descriptions of work for pictures that nobody described: by domain, on task, near miss and off task.

A caption is held against what each purpose of each domain looks like, by the similarity of sentence vectors. What is
nearest is what the picture could be work for; another purpose of that domain is a near miss, and a purpose of a domain
that is far from the caption is off task. That is a proposal: a judge who sees the picture has the word.
"""

import tomllib
from pathlib import Path
from random import Random
from typing import Literal, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from core.reading import text_encoder
from core.schema import NightshiftError

__all__ = ["Domain", "Proposal", "Purpose", "Relation", "WorkDomains", "load_domains"]

OURS = Path(__file__).parent / "data" / "works.toml"
CAPTION = "{caption}"
Relation = Literal["on_task", "near_miss", "off_task"]


class Purpose(BaseModel):
    """Something that is done in a domain."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    seen: str = Field(min_length=1)
    "What it looks like, in the words of a caption."
    work: str = Field(min_length=1)
    "The description of the work; {caption} stands for what a picture shows."

    @field_validator("work")
    @classmethod
    def _has_no_other_braces(cls, work: str) -> str:
        if "{" in work.replace(CAPTION, "") or "}" in work.replace(CAPTION, ""):
            raise ValueError("a description may hold {caption} and no other braces")
        return work


class Domain(BaseModel):
    """A kind of work."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str = Field(min_length=1)
    purposes: tuple[Purpose, ...] = Field(min_length=2)


class Proposal(NamedTuple):
    """A work that a picture is held against, and how it is meant to relate to it."""

    work: str
    domain: str
    relation: Relation


class WorkDomains:
    """All domains, and which is nearest to a caption."""

    def __init__(self, domains: tuple[Domain, ...]) -> None:
        self.domains = domains
        self._of_purpose = [(domain, purpose) for domain in domains for purpose in domain.purposes]
        self._seen_PD = text_encoder().embed([purpose.seen for _, purpose in self._of_purpose])

    def proposals(self, caption: str, least_similarity: float, rng: Random) -> list[Proposal]:
        """One on task and one that is not: a near miss as often as a far one.

        A caption that is like no purpose gives only one that is off task.
        """
        said_P = self._seen_PD @ text_encoder().embed([caption])[0]
        best = int(np.argmax(said_P))
        domain, purpose = self._of_purpose[best]
        off = self._far(said_P, domain, rng)
        if said_P[best] < least_similarity:
            return [off]
        on_task = Proposal(purpose.work.replace(CAPTION, caption), domain.name, "on_task")
        others = [each for each in domain.purposes if each is not purpose and CAPTION not in each.work]
        if others and rng.random() < 0.5:
            return [on_task, Proposal(rng.choice(others).work, domain.name, "near_miss")]
        return [on_task, off]

    def _far(self, said_P: np.ndarray, domain: Domain, rng: Random) -> Proposal:
        """A purpose of another domain, from the less similar half; one that names no picture."""
        middle = float(np.median(said_P))
        far = [
            (other, purpose)
            for (other, purpose), said in zip(self._of_purpose, said_P.tolist(), strict=True)
            if other is not domain and said <= middle and CAPTION not in purpose.work
        ]
        other, purpose = rng.choice(far or [pair for pair in self._of_purpose if pair[0] is not domain])
        return Proposal(purpose.work.replace(CAPTION, "something else"), other.name, "off_task")


def load_domains(own: Path | None = None) -> WorkDomains:
    """Our domains with those of a file of one's own. Raises NightshiftError naming what is wrong in it."""
    found = {domain.name: domain for path in (OURS, own) if path is not None for domain in _read(path)}
    return WorkDomains(tuple(found.values()))


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    domains: tuple[Domain, ...] = Field(min_length=1)


def _read(path: Path) -> tuple[Domain, ...]:
    try:
        return _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))).domains
    except OSError as error:
        raise NightshiftError(f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise NightshiftError(f"{path} is not valid TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise NightshiftError(f"{path}: {where}: {first['msg']}") from error
