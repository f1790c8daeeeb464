"""Labelled examples to and from files that other programs read: one small file a format."""

from core.services.exchange.base import Format, Incoming, Outgoing, Picture, Rows
from core.services.exchange.formats import FORMATS, found_format, named_format

__all__ = ["FORMATS", "Format", "Incoming", "Outgoing", "Picture", "Rows", "found_format", "named_format"]
