"""Questions about screens for judges behind servers."""

from collections.abc import Callable

from memory_library import MemoryLibrary
from PIL import Image

from core.judge import RemoteJudge
from core.schema import Example

Judge = Callable[..., RemoteJudge]
"""Makes the judge behind a server: its URL, the name of the backend, and settings."""


def examples(library: MemoryLibrary, number: int, ask: str = "Write the report.") -> list[Example]:
    """So many questions about one picture."""
    media = library.add("Report", image=Image.new("RGB", (320, 200), "white"))
    asks = [f"{ask} ({place})" if place else ask for place in range(number)]
    return [Example.make("screen", (media,), each, answers=("on_task", "off_task"), cluster=media) for each in asks]
