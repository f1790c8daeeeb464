"""How a first training set is made of pictures that nobody labelled."""

from pathlib import Path

from pydantic import Field

from core.settings.section import Section

__all__ = ["BootstrapSettings"]


class BootstrapSettings(Section):
    """What `nightshift bootstrap` is told; a judge's labels stand apart from people's for ever."""

    captioner: str = Field(
        "Salesforce/blip-image-captioning-base",
        description="Folder or hub name of a BLIP or BLIP-2 model on this machine, which describes pictures.",
    )
    caption_batch: int = Field(8, ge=1, description="Pictures described at a time.")
    caption_tokens: int = Field(40, ge=5, le=200, description="Tokens at which a description is cut off.")
    examples: int = Field(1000, ge=2, description="Examples to train on, half of them on task.")
    validation: int = Field(200, ge=0, description="Examples set aside to measure on, of clusters of their own.")
    levels: int = Field(3, ge=1, le=9, description="Steps of the curriculum, from what the judge is sure of on.")
    least_similarity: float = Field(
        0.25, ge=-1, le=1, description="A caption less similar to all work than this is only asked about as off task."
    )
    domains: Path | None = Field(None, description="TOML file with domains of work of your own beside ours.")
