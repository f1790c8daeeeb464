"""A person's word on a screen, whether or not a model ever saw it."""

from pydantic import JsonValue

from core.schema import ChosenBy, Correction
from core.services.classify import take_in
from core.services.feedback import label_example
from core.services.workspace import Workspace

__all__ = ["correct_screen"]


def correct_screen(
    ws: Workspace,
    environment: str,
    data: bytes,
    ask: str,
    answer: JsonValue,
    *,
    name: str | None = None,
    session: str | None = None,
    reason: str | None = None,
    reviewer: str | None = None,
    key: str | None = None,
) -> Correction:
    """Takes a picture in and stores a person's answer to it; `key` is as in `correct`.

    Raises NightshiftError for a picture, a question or an answer that is refused, with nothing stored, and KeyReused.
    """
    problem = ws.environment(environment)
    problem.example(("unchecked",), ask, cluster="")
    problem.parse_answer(answer)
    media = take_in(ws, data, name=name, source="api", session=session)
    example = problem.example((media.id,), ask, cluster=ws.clusters.cluster(media.id))
    ws.store.add(example)
    return label_example(
        ws,
        environment,
        example.id,
        answer,
        reason=reason,
        reviewer=reviewer,
        chosen_by=ChosenBy.VOLUNTEERED,
        key=key,
        audited=True,
    )
