"""Which photos belong together: those in one folder, else those whose file names say so. Nothing is grouped silently.

In a day's folder each folder is a group of its name. Photos that lie beside these are grouped by the pattern of the
settings, which has to match the whole file name and names the parts `group` and `photo`. What fits neither is told.
"""

import re
from pathlib import Path
from typing import NamedTuple

from core.environments.group_qc.dossier import MOST_PHOTOS
from core.schema import NightshiftError

__all__ = ["Grouped", "Photos", "grouped", "one_group", "site_and_date"]

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
DIGITS = re.compile(r"(\d+)")


class Photos(NamedTuple):
    """A group's files, in the order of their numbers."""

    name: str
    files: tuple[Path, ...]


class Grouped(NamedTuple):
    """The groups of a folder, and what is in none, each with why."""

    groups: tuple[Photos, ...]
    left_out: tuple[tuple[Path, str], ...]


def grouped(directory: Path, pattern: str) -> Grouped:
    """The groups in `directory`, by name. Raises NightshiftError where there is no folder, or no photo in it."""
    if not directory.is_dir():
        raise NightshiftError(f"there is no folder {directory}")
    groups: dict[str, list[Path]] = {}
    left_out: list[tuple[Path, str]] = []
    loose = []
    for path in sorted(directory.iterdir(), key=_by_number):
        if path.is_dir() and (photos := _photos(path)):
            groups[path.name] = photos
        elif _is_photo(path):
            loose.append(path)
    numbers: dict[tuple[str, int], Path] = {}
    for path in loose:
        found = re.fullmatch(pattern, path.stem)
        if found is None:
            left_out.append((path, f"it lies in no folder of a group, and its name does not fit {pattern}"))
            continue
        name, number = found["group"], int(found["photo"])
        if (directory / name).is_dir():
            left_out.append((path, f"group {name} is a folder already; put the photo into it"))
        elif (name, number) in numbers:
            left_out.append((path, f"{numbers[name, number].name} is photo {number} of group {name} already"))
        else:
            numbers[name, number] = path
    for name, number in sorted(numbers):
        groups.setdefault(name, []).append(numbers[name, number])
    for name in [name for name, photos in groups.items() if len(photos) > MOST_PHOTOS]:
        photos = groups.pop(name)
        left_out.append((photos[0].parent, f"group {name} has {len(photos)} photos; at most {MOST_PHOTOS}"))
    if not groups and not left_out:
        raise NightshiftError(f"{directory} has no photos ({', '.join(SUFFIXES)}), nor folders of them")
    return Grouped(tuple(Photos(name, tuple(groups[name])) for name in sorted(groups)), tuple(left_out))


def one_group(directory: Path) -> Photos:
    """All photos right in `directory` as one group of its name. Raises NightshiftError where there are none."""
    photos = _photos(directory) if directory.is_dir() else []
    if not 1 <= len(photos) <= MOST_PHOTOS:
        raise NightshiftError(f"{directory} has {len(photos)} photos; a group has 1 to {MOST_PHOTOS}")
    return Photos(directory.resolve().name, tuple(photos))


def site_and_date(group: str, pattern: str) -> tuple[str, str] | None:
    """Where and when a group was photographed, as its name says; None where it does not say."""
    found = re.fullmatch(pattern, group)
    return (found["site"], found["date"]) if found else None


def _photos(directory: Path) -> list[Path]:
    return sorted((path for path in directory.iterdir() if _is_photo(path)), key=_by_number)


def _is_photo(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def _by_number(path: Path) -> list[tuple[int, str]]:
    """2 before 10."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in DIGITS.split(path.name)]
