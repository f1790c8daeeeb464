"""Pictures of a training on disk, for rollout engines and rewards that look at pixels in the training process."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from core.policy import Library
from core.schema import Example, NightshiftError

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.policy.base import Arrays
    from core.reading import Reading

__all__ = ["SavedPictures", "save_pictures"]


def save_pictures(folder: Path, examples: Sequence[Example], library: Library) -> None:
    """Writes every picture of `examples` once, without loss."""
    folder.mkdir(parents=True, exist_ok=True)
    for media in sorted({media for example in examples for media in example.media}):
        library.image(media).save(folder / f"{media}.png")


class SavedPictures:
    """The pictures in a folder. Meets `core.policy.Library` for whoever looks at pixels."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def image(self, media: str) -> Image.Image:
        try:
            return Image.open(self._folder / f"{media}.png").convert("RGB")
        except OSError as error:
            raise NightshiftError(f"picture {media} of the training is not in {self._folder}: {error}") from error

    def reading(self, media: str) -> "Reading":
        raise NightshiftError(f"picture {media} is not read in a training: its rewards may look at pixels alone")

    def arrays(self, media: str, name: str, make: "Callable[[], Arrays]") -> "Arrays":  # noqa: ARG002
        return make()
