"""Options that many commands share."""

from pathlib import Path
from typing import Annotated, Optional

import typer

__all__ = ["SCREEN", "Dataset", "Environment", "Home", "Json", "NewFolder"]

SCREEN = "screen"
"""The environment that commands are about, unless `--environment` names another; some know no other."""

Environment = Annotated[
    str, typer.Option("--environment", metavar="NAME", help="The problem, as the setting `environments` names it.")
]
Home = Annotated[
    Optional[Path],  # noqa: UP045 (Typer reads the annotation)
    typer.Option("--home", metavar="DIR", help="Where data live; else NIGHTSHIFT_HOME, else ./.nightshift."),
]
Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON object on standard output.")]
Dataset = Annotated[
    Path, typer.Option("--dataset", metavar="DIR", help="A labelled folder: images/, tasks.csv, manifest.csv.")
]
NewFolder = Annotated[Path, typer.Option("--out", metavar="DIR", help="A folder that is not there yet, or empty.")]
