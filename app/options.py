"""Options that many commands share."""

from pathlib import Path
from typing import Annotated, Optional

import typer

__all__ = ["Dataset", "Home", "Json"]

Home = Annotated[
    Optional[Path],  # noqa: UP045 (Typer reads the annotation)
    typer.Option("--home", metavar="DIR", help="Where data live; else NIGHTSHIFT_HOME, else ./.nightshift."),
]
Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON object on standard output.")]
Dataset = Annotated[
    Path, typer.Option("--dataset", metavar="DIR", help="A labelled folder: images/, tasks.csv, manifest.csv.")
]
