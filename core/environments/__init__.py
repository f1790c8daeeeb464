"""Problems, by name. A new one is one package and one line here."""

from functools import cache

from core.environments.base import Environment
from core.environments.group_qc.environment import GroupQcEnvironment
from core.environments.screen import ScreenEnvironment
from core.schema import NightshiftError

__all__ = ["Environment", "environment", "environments"]

REGISTERED: dict[str, type[Environment]] = {"screen": ScreenEnvironment, "group_qc": GroupQcEnvironment}


def environments() -> tuple[str, ...]:
    """The names there are."""
    return tuple(REGISTERED)


@cache
def environment(name: str) -> Environment:
    """The environment called `name`. Raises NightshiftError naming those there are."""
    if name not in REGISTERED:
        raise NightshiftError(f"no environment {name!r}; there are: {', '.join(REGISTERED)}")
    return REGISTERED[name]()
