"""Labelled examples to and from files that other programs read: one small file a format."""

from core.services.exchange.base import Format, Incoming, IncomingPicture, Outgoing, Picture, Rows
from core.services.exchange.formats import FORMATS, formats_of, found_format, named_format, told_cluster

__all__ = [
    "FORMATS",
    "Format",
    "Incoming",
    "IncomingPicture",
    "Outgoing",
    "Picture",
    "Rows",
    "formats_of",
    "found_format",
    "named_format",
    "told_cluster",
]
