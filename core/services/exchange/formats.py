"""Which formats there are."""

from collections.abc import Mapping
from pathlib import Path

from core.environments.group_qc.environment import GroupQcEnvironment
from core.schema import NightshiftError
from core.services.exchange.base import Format, Incoming
from core.services.exchange.folder import LabelledFolder
from core.services.exchange.groups import GroupsFolder, told_place
from core.services.exchange.label_studio import LabelStudio
from core.services.exchange.parquet import Parquet
from core.services.exchange.webdataset import WebDataset

__all__ = ["FORMATS", "formats_of", "found_format", "named_format", "told_cluster"]

FORMATS: Mapping[str, Format] = {each.name: each for each in (LabelledFolder(), Parquet(), WebDataset(), LabelStudio())}
"By name; of those that recognise a path the first one reads it."
OWN: Mapping[str, Mapping[str, Format]] = {GroupQcEnvironment.name: {GroupsFolder.name: GroupsFolder()}}
"By environment: what takes the place of a format of the same name."


def formats_of(environment: str) -> Mapping[str, Format]:
    """The formats that an environment is written to and read from."""
    return {**FORMATS, **OWN.get(environment, {})}


def named_format(environment: str, name: str) -> Format:
    """Raises NightshiftError naming those there are."""
    formats = formats_of(environment)
    if name not in formats:
        raise NightshiftError(f"there is no format {name!r}; there are {', '.join(formats)}")
    return formats[name]


def found_format(environment: str, path: Path) -> Format | None:
    """The format of a file or folder, by the names in it; None where none fits."""
    return next((each for each in formats_of(environment).values() if each.recognises(path)), None)


def told_cluster(environment: str, row: Incoming) -> str | None:
    """The cluster that a row says it is in, where that is not for pictures alone to say; else None."""
    return told_place(row) if environment == GroupQcEnvironment.name else None
