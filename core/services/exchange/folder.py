"""A folder with `images/`, `tasks.csv` and `manifest.csv`: what `nightshift import` and `evaluate` read."""

import csv
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from core.services.exchange.base import Incoming, Rows, single
from core.services.folders import TASK_COLUMNS, read_folder, read_within

__all__ = ["LabelledFolder"]

WHAT = "a labelled folder"
MORE = ("split", "example", "reviewer", "chosen_by", "labelled_at")


class LabelledFolder:
    """CSV with a folder of pictures."""

    name = "folder"

    def write(self, folder: Path, rows: Rows, tell: Callable[[int], None]) -> None:
        images = folder / "images"
        images.mkdir()
        described: dict[str, tuple[str, str]] = {}
        with (folder / "tasks.csv").open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow([*TASK_COLUMNS, "why", *MORE])
            for done, (row, pictures) in enumerate(rows, start=1):
                picture = single(row, pictures, WHAT)
                if picture.name not in described:
                    (images / picture.name).write_bytes(picture.read())
                    described[picture.name] = row.cluster, row.domain
                table.writerow(
                    [picture.name, row.ask, row.label, row.reason, *(getattr(row, column) for column in MORE)]
                )
                tell(done)
        with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(["file", "app", "category"])
            table.writerows((name, *about) for name, about in described.items())

    def recognises(self, path: Path) -> bool:
        return (path / "tasks.csv").is_file()

    def read(self, path: Path) -> Iterator[Incoming]:
        for row in read_folder(path):
            read = partial(read_within, path / "images", row.file)
            yield Incoming.about(row.file, read, row.ask, row.label, row.why)
