"""Every text that has to be said in other languages: those in the source of the console, and what it shows of core."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from app.console import classify_texts, review_texts
from app.console.language import Texts
from core.environments import environment, environments
from core.environments.screen import Element
from core.evaluation.report import GATE_NAMES

CONSOLE = Path(__file__).resolve().parents[2] / "app" / "console"
SAYING = ("say", "later", "label")


def texts() -> set[str]:
    """What must be in every catalog."""
    return {*_in_source(), *_by_name(), *_of_core()}


def _in_source() -> Iterator[str]:
    for file in CONSOLE.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SAYING:
                yield from _constants(node.args[0])


def _constants(argument: ast.expr) -> Iterator[str]:
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        yield argument.value
    elif isinstance(argument, ast.IfExp):
        yield from _constants(argument.body)
        yield from _constants(argument.orelse)


def _by_name() -> Iterator[str]:
    for module in (classify_texts, review_texts):
        for value in vars(module).values():
            if isinstance(value, Texts):
                yield from value.in_english.values()


def _of_core() -> Iterator[str]:
    yield from GATE_NAMES.values()
    yield from (kind.replace("_", " ") for kind in get_args(Element.model_fields["kind"].annotation))
    for name in environments():
        bound = environment(name)
        yield from (bound.title, bound.ask_title, bound.ask_placeholder, *bound.answer_titles.values())
