"""Which formats there are."""

from collections.abc import Mapping
from pathlib import Path

from core.schema import NightshiftError
from core.services.exchange.base import Format
from core.services.exchange.folder import LabelledFolder
from core.services.exchange.label_studio import LabelStudio
from core.services.exchange.parquet import Parquet
from core.services.exchange.webdataset import WebDataset

__all__ = ["FORMATS", "found_format", "named_format"]

FORMATS: Mapping[str, Format] = {each.name: each for each in (LabelledFolder(), Parquet(), WebDataset(), LabelStudio())}
"By name; of those that recognise a path the first one reads it."


def named_format(name: str) -> Format:
    """Raises NightshiftError naming those there are."""
    if name not in FORMATS:
        raise NightshiftError(f"there is no format {name!r}; there are {', '.join(FORMATS)}")
    return FORMATS[name]


def found_format(path: Path) -> Format | None:
    """The format of a file or folder, by the names in it; None where none fits."""
    return next((each for each in FORMATS.values() if each.recognises(path)), None)
