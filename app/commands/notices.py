"""What other programs are told of: `notices list`, `notices deliver`, `notices replay`."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from app.terminal import Answer
from core.notices import Courier, Standing, deliver_again, standing
from core.schema import Notice
from core.settings import load_settings
from core.store import open_store

__all__ = ["deliver", "newest", "replay"]


def newest(home: Path | None, limit: int) -> Answer:
    """The newest notices, told or not."""
    settings = load_settings(home)
    store = open_store(settings.store_url)
    kept = store.find(Notice, newest_first=True, limit=limit)
    told = standing(store, settings.notices, limit=limit)
    return Answer({"notices": [_notice(notice, told) for notice in kept]}, partial(_show, kept, told))


def deliver(home: Path | None) -> Answer:
    """Posts what is due. Raises NightshiftError where a secret is missing."""
    settings = load_settings(home)
    made = Courier(open_store(settings.store_url), settings.notices, settings.environments).look()
    failed = [each for each in made if not each.ok]
    data = {"posted": len(made) - len(failed), "failed": [each.model_dump(mode="json") for each in failed]}

    def show(console: Console) -> None:
        console.print(f"{len(made) - len(failed)} posted, {len(failed)} not taken.")
        for each in failed:
            console.print(f"  {each.endpoint}: {each.error}", markup=False)

    return Answer(data, show, ok=not failed)


def replay(home: Path | None, notice: str, webhook: str | None) -> Answer:
    """Has a notice told again. Raises NightshiftError where there is none of that name."""
    settings = load_settings(home)
    meant = deliver_again(open_store(settings.store_url), settings.notices, notice, webhook)
    said = f"{meant[0].notice.id[:12]} is told again: {', '.join(each.endpoint for each in meant)}."
    return Answer(_notice(meant[0].notice, meant), lambda console: console.print(said))


def _notice(notice: Notice, told: Sequence[Standing]) -> dict[str, Any]:
    return {
        **notice.model_dump(mode="json"),
        "webhooks": [
            {"name": each.endpoint, "state": each.state.value, "tries": each.tries, "error": each.last_error}
            for each in told
            if each.notice.id == notice.id
        ],
    }


def _show(kept: Sequence[Notice], told: Sequence[Standing], console: Console) -> None:
    if not kept:
        console.print("Nothing has happened yet that anybody is told of.")
        return
    table = Table("when", "what", "notice", "webhooks")
    for notice in kept:
        states = [f"{each.endpoint}: {each.state.value}" for each in told if each.notice.id == notice.id]
        when = notice.at.astimezone().strftime("%Y-%m-%d %H:%M")
        table.add_row(when, notice.title, notice.id[:12], "\n".join(states) or "nobody asked")
    console.print(table)
