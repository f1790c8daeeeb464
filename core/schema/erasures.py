"""What is left of what was erased: that it was, when, by whom and why; nothing of what it said or showed."""

from typing import ClassVar, Literal

from pydantic import AwareDatetime, Field

from core.schema.base import Record, content_id

__all__ = ["Erasure", "Tombstone"]

Asked = Literal["screen", "session", "reviewer", "before", "retention"]


class Erasure(Record):
    """The intention to erase, written before anything goes; once all of it has gone, what that came to.

    While it is open it holds what a process that takes it up again must know. Of what has gone it keeps hashes alone.
    """

    kind: ClassVar[str] = "erasure"
    asked: Asked
    "By what it was asked for; never the name of a session or a person."
    reason: str
    by: str
    media: tuple[str, ...] = ()
    "Open: pictures to erase, by their ids. Only those taken in before the intention was written are meant."
    blobs: tuple[str, ...] = ()
    "Open: where those pictures are kept."
    reviewer: str | None = None
    "Open: whose words go."
    runs: tuple[str, ...] = ()
    "Nights and trainings that named something of it."
    learnt: tuple[str, ...] = ()
    "Those of them that trained on it."
    done_at: AwareDatetime | None = None
    erased: dict[str, int] = Field(default_factory=dict)
    "How many of each kind went."


class Tombstone(Record):
    """In the place of something that was erased, so that what named it still adds up."""

    kind: ClassVar[str] = "tombstone"
    erasure: str
    what: Literal["media", "example", "label"]
    content: str
    "Content hash of what was erased: its id; of a label, the hash of how dataset versions name it."
    cluster: str | None = None
    "Of an example or a label: the name of the cluster, so that near-duplicates are never taken for unseen."
    reason: str
    by: str

    @classmethod
    def make(
        cls, erasure: Erasure, what: Literal["media", "example", "label"], content: str, cluster: str | None = None
    ) -> "Tombstone":
        """The one that an erasure leaves for a thing, however often it is made."""
        return cls(
            id=content_id("tombstone", erasure.id, what, content),
            erasure=erasure.id,
            what=what,
            content=content,
            cluster=cluster,
            reason=erasure.reason,
            by=erasure.by,
        )
