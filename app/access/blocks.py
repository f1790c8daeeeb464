"""The console's pages as Gradio keeps them, with a guard before each event: what is not listed is not thereby shut."""

from typing import Any

import gradio as gr

from app.access.gate import Gate
from app.access.roles import Needs, declared, refusal
from core.access import as_actor
from core.schema import NightshiftError, Role

__all__ = ["GuardedBlocks"]


class GuardedBlocks(gr.Blocks):
    """Runs an event only for whoever may: every way to call one, over any route and through the queue, ends here."""

    gate: Gate | None = None

    async def process_api(self, block_fn: Any, *args: Any, **named: Any) -> dict[str, Any]:
        """As Gradio's own, in the name of whoever asks. Raises gr.Error where they may not."""
        event = self.fns[block_fn] if isinstance(block_fn, int) else block_fn
        # Several people's requests in one batch have no one in whose name it could be done.
        scope = getattr(getattr(named.get("request"), "request", None), "scope", None)
        try:
            actor = await self.gate.actor(scope) if self.gate is not None and scope is not None else None
        except NightshiftError as error:
            raise gr.Error(str(error), print_exception=False) from error
        problem = refusal(actor, needs_of(event))
        if problem is not None or actor is None:
            raise gr.Error(str(problem or "please sign in"), title="Not allowed", print_exception=False)
        with as_actor(actor):
            return await super().process_api(event, *args, **named)


def needs_of(event: Any) -> Needs | None:
    """What an event of the console was declared to need; of one that only runs in the browser, no more than a look."""
    return Needs(Role.VIEWER) if event.fn is None else declared(event.fn)
