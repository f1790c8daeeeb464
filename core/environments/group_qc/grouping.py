"""Which photos belong together: those in one folder, else those whose file names say so. Nothing is grouped silently.

In a day's folder each folder is a group of its name. Photos that lie beside these are grouped by the pattern of the
settings, which has to match the whole file name and names the parts `group` and `photo`. What fits neither is told,
and so is a group of which not everything can be looked at: judged by the rest it could pass for what nobody saw.
"""

import mimetypes
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from core.environments.group_qc.dossier import MOST_PHOTOS
from core.schema import NightshiftError

__all__ = ["Grouped", "Photos", "grouped", "one_group", "site_and_date"]

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
OTHER_PICTURES = (".heic", ".heif", ".avif", ".jxl", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raw")
"What cameras write and is not read here; of more endings the system knows that they are pictures or films."
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
        if path.is_dir() and not path.name.startswith("."):
            if problem := _problem(path):
                left_out.append((path, f"group {path.name} {problem}"))
            elif photos := _photos(path):
                groups[path.name] = photos
        elif _is_photo(path):
            loose.append(path)
        elif _is_other_picture(path):
            left_out.append((path, f"it is not one of {', '.join(SUFFIXES)}"))
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
    for name in sorted({name for name, _ in numbers}):
        of_it = sorted(number for of, number in numbers if of == name)
        if problem := _gap(of_it):
            left_out += [(numbers[name, number], f"group {name} {problem}") for number in of_it]
        else:
            groups[name] = [numbers[name, number] for number in of_it]
    for name in [name for name, photos in groups.items() if len(photos) > MOST_PHOTOS]:
        photos = groups.pop(name)
        left_out.append((photos[0].parent, f"group {name} has {len(photos)} photos; at most {MOST_PHOTOS}"))
    if not groups and not left_out:
        raise NightshiftError(f"{directory} has no photos ({', '.join(SUFFIXES)}), nor folders of them")
    return Grouped(tuple(Photos(name, tuple(groups[name])) for name in sorted(groups)), tuple(left_out))


def one_group(directory: Path) -> Photos:
    """All photos right in `directory` as one group of its name. Raises NightshiftError where there are none, and where
    not everything in it can be looked at."""
    if directory.is_dir() and (problem := _problem(directory)):
        raise NightshiftError(f"{directory} {problem}")
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


def _problem(directory: Path) -> str | None:
    """Why the photos right in a folder may not be all that there is of its group."""
    for path in sorted(directory.iterdir(), key=_by_number):
        if path.is_dir() and not path.name.startswith(".") and any(map(_is_any_picture, path.rglob("*"))):
            return f"has a folder {path.name} with photos; a group's photos lie side by side"
        if _is_other_picture(path):
            return f"has {path.name}, which is not one of {', '.join(SUFFIXES)}"
    names = [path.stem for path in _photos(directory)]
    return _gap(sorted(map(int, names))) if names and all(name.isdecimal() for name in names) else None


def _gap(numbers: Sequence[int]) -> str | None:
    """What lacks of photos that are numbered from the first; a camera's own numbers begin anywhere, and have gaps."""
    if numbers[0] > 1:
        return None
    lacking = sorted(set(range(numbers[0], numbers[-1] + 1)) - set(numbers))
    return f"has photo {numbers[-1]} and no photo {lacking[0]}" if lacking else None


def _is_any_picture(path: Path) -> bool:
    return _is_photo(path) or _is_other_picture(path)


def _is_other_picture(path: Path) -> bool:
    """Whether it is a picture or a film of a kind that is not read."""
    if not path.is_file() or path.name.startswith(".") or path.suffix.lower() in SUFFIXES:
        return False
    kind = mimetypes.guess_type(path.name)[0] or ""
    return kind.startswith(("image/", "video/")) or path.suffix.lower() in OTHER_PICTURES


def _is_photo(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def _by_number(path: Path) -> list[tuple[int, str]]:
    """2 before 10."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in DIGITS.split(path.name)]
