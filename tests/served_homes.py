"""Homes that serve one environment with the smallest models there are: for what must hold in each environment."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from core.policy.vlm.tiny import tiny_vlm

__all__ = [
    "AT_LENGTH",
    "ENVIRONMENTS",
    "at_length_in_each_environment",
    "in_each_environment",
    "smallest",
    "write_settings",
]

ENVIRONMENTS = ("screen", "group_qc")

in_each_environment = pytest.mark.parametrize("environment", ENVIRONMENTS, indirect=True)
"""For a test whose fixtures ask for `environment`, which without this is `screen`."""

AT_LENGTH = ("screen", *(pytest.param(each, marks=pytest.mark.soak) for each in ENVIRONMENTS[1:]))
at_length_in_each_environment = pytest.mark.parametrize("environment", AT_LENGTH, indirect=True)
"""The same for what takes long where a vision-language model answers."""


def smallest(environment: str, scratch: Path) -> dict[str, Any]:
    """Settings for a home of `environment` alone; its model, where it needs one, is made in `scratch`."""
    if environment == "screen":
        return {}
    model = tiny_vlm("qwen2_5_vl", scratch)
    told = {"model": str(model), "summary_max_pixels": 56 * 56, "summary_tokens": 8, "max_new_tokens": 24, "rank": 4}
    return {"environments": [environment], environment: told}


def write_settings(home: Path, told: Mapping[str, Any]) -> None:
    """`nightshift.toml` with these settings; a section is a mapping of its own."""
    flat = {name: value for name, value in told.items() if not isinstance(value, Mapping)}
    sections = {name: value for name, value in told.items() if isinstance(value, Mapping)}
    lines = [*_lines(flat), *(line for name, of_it in sections.items() for line in (f"[{name}]", *_lines(of_it)))]
    (home / "nightshift.toml").write_text("".join(f"{line}\n" for line in lines))


def _lines(told: Mapping[str, Any]) -> list[str]:
    return [f"{name} = {json.dumps(value)}" for name, value in told.items()]
