"""A server in a process of its own, and many clients at once: what benchmarks and long tests of serving share."""

from app.load.clients import Answered, Request, figures, send_all
from app.load.servers import Server, serving

__all__ = ["Answered", "Request", "Server", "figures", "send_all", "serving"]
