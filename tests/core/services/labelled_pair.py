"""A row of the labelled folder that the tests here share."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Pair:
    """One row of the folder's tasks."""

    data: bytes
    file: str
    ask: str
    label: str
