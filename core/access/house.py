"""What of an installation matters here; a `Workspace` has it, and without one it is opened in a moment."""

from pathlib import Path
from typing import NamedTuple, Protocol

from core.schema import NightshiftError
from core.settings import Settings, load_settings
from core.store import Store, open_store

__all__ = ["House", "open_house"]


class House(Protocol):
    """Settings, and a store in which people are kept."""

    @property
    def settings(self) -> Settings: ...

    @property
    def store(self) -> Store: ...


class _Opened(NamedTuple):
    settings: Settings
    store: Store


def open_house(home: Path | None) -> House:
    """Opens the store of a home, and makes both where there are none. Raises NightshiftError where that cannot be."""
    settings = load_settings(home)
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NightshiftError(f"cannot make the home {settings.home}: {error.strerror or error}") from error
    return _Opened(settings, open_store(settings.store_url))
