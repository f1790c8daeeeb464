"""Watching a screen: captured here, answered here or by a server, kept on disk in between."""

from app.watching.answerers import Answerer, Here, Server
from app.watching.capture import Screen, change_between
from app.watching.spool import Spool
from app.watching.watcher import Watcher

__all__ = ["Answerer", "Here", "Screen", "Server", "Spool", "Watcher", "change_between"]
