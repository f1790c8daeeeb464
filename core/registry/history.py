"""Who was champion when, read as an undo stack."""

from collections.abc import Collection, Sequence

from core.schema import NightshiftError, Promotion
from core.store import Quarantined

__all__ = ["former_champions", "rollback_target"]


def former_champions(history: Sequence[Promotion]) -> list[str]:
    """Release ids from the first champion to the present one, without those that were rolled back.

    Installing and promoting put a release on top. Rolling back takes away what lies above the release it goes back
    to, so that the next rollback goes further back, not forth again; going back to one that was taken away earlier
    puts it on top.
    """
    stack: list[str] = []
    for promotion in history:
        below = stack[:-1]
        if promotion.action == "rollback" and promotion.release in below:
            del stack[len(below) - below[::-1].index(promotion.release) :]
        else:
            stack.append(promotion.release)
    return stack


def rollback_target(
    environment: str, history: Sequence[Promotion], to: str | None, barred: Collection[str] = ()
) -> str:
    """The release id to go back to: the champion before the present one, or the earlier champion that `to` names.

    `to` is an id or the beginning of one. Those in `barred` are passed over. Raises NightshiftError where there is
    nothing to go back to, or `to` names no earlier champion, the present one, one that is barred, or several.
    """
    stack = former_champions(history)
    if not stack:
        raise NightshiftError(f"{environment!r} has no champion yet; there is nothing to go back to")
    present = stack[-1]
    if to is None:
        before = next((release for release in stack[-2::-1] if release not in barred and release != present), None)
        if before is None:
            first = "is the first champion" if len(stack) == 1 else "has only quarantined champions before it"
            raise NightshiftError(f"{present[:12]} {first} of {environment!r}; nothing to go back to")
        return before
    earlier = sorted({promotion.release for promotion in history})
    matches = [release for release in earlier if to and release.startswith(to)]
    if len(matches) != 1:
        told = ", ".join(release[:12] for release in (matches or earlier))
        fault = "fits several champions" if matches else "was never champion"
        raise NightshiftError(f"{to!r} {fault} of {environment!r}; there were: {told}")
    if matches[0] == present:
        raise NightshiftError(f"{present[:12]} is the champion of {environment!r} already")
    if matches[0] in barred:
        raise Quarantined(f"{matches[0][:12]} of {environment!r} is quarantined; it never serves again")
    return matches[0]
