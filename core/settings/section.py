"""What every part of the settings tree is."""

from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict

__all__ = ["Section", "address_alone"]


class Section(BaseModel):
    """A table of the settings file: unknown keys are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def address_alone(url: str, *, key: str) -> str:
    """`url`, which names a server or is empty, and holds no secret; the setting `key` says where that belongs."""
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise ValueError("must begin with http:// or https:// and name a server")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError(f"must be an address alone; a key belongs in the variable that {key} names")
    return url
