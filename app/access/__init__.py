"""Who comes in: roles declared at every handler, and the gate that looks at them."""

from app.access.blocks import GuardedBlocks, needs_of
from app.access.gate import Gate, Gatekeeper
from app.access.roles import Forbidden, Needs, Unknown, allow, allow_people, anybody, declared

__all__ = [
    "Forbidden",
    "Gate",
    "Gatekeeper",
    "GuardedBlocks",
    "Needs",
    "Unknown",
    "allow",
    "allow_people",
    "anybody",
    "declared",
    "needs_of",
]
