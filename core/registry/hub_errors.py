"""What can go wrong on the way to a hub and back, each as one line that says what to do."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from core.schema import NightshiftError

__all__ = ["HubError", "HubMoved", "wire"]


class HubError(NightshiftError):
    """Something on the hub was not done; what serves, here and there, is what served before."""


class HubMoved(HubError):
    """Somebody else changed the repository at the same time. Nothing of ours was done."""


@contextmanager
def wire(repo: str, doing: str) -> Iterator[None]:
    """Tells what failed in words. Faults of ours pass as they are."""
    try:
        yield
    except NightshiftError:
        raise
    except Exception as error:
        explained = _explain(error, repo, doing)
        if explained is None:
            raise
        raise explained from error


def _explain(error: BaseException, repo: str, doing: str) -> HubError | None:
    # The client wraps what an upload in a thread raised.
    for each in _chain(error):
        status = getattr(getattr(each, "response", None), "status_code", None)
        if isinstance(status, int):
            return _of_status(status, each, repo, doing)
    for each in _chain(error):
        if isinstance(each, OSError) and each.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
            return HubError(
                f"{doing}: the disk is full ({each.strerror}); make room and ask again, it goes on from there"
            )
        if type(each).__name__ in ("OfflineModeIsEnabled", "LocalEntryNotFoundError"):
            return HubError(f"{doing}: {repo} cannot be reached; ask again when the network is back")
        if type(each).__module__.split(".")[0] in ("httpx2", "httpcore2", "httpx", "httpcore") or isinstance(
            each, ConnectionError | TimeoutError
        ):
            why = str(each) or type(each).__name__
            return HubError(f"{doing}: {repo} cannot be reached ({why}); ask again, it goes on from there")
    if isinstance(error, ValueError | OSError):
        return HubError(f"{doing}: {(str(error).splitlines() or [type(error).__name__])[0]}")
    return None


def _of_status(status: int, error: BaseException, repo: str, doing: str) -> HubError:
    if status == 401:
        return HubError(f"{doing}: {repo} is not there for this token, or the token is wrong (401); set HF_TOKEN")
    if status == 403:
        return HubError(
            f"{doing}: this token may not do that with {repo} (403); give it write access to the repository"
        )
    if status == 404:
        return HubError(f"{doing}: not found in {repo} (404); check registry.hub and the revision's name")
    if status in (409, 412):
        return HubMoved(f"{doing}: somebody changed {repo} meanwhile ({status}); nothing was changed, ask again")
    if status == 413 or status == 507:
        return HubError(f"{doing}: {repo} has no room for this ({status})")
    if status == 429:
        wait = getattr(error, "response").headers.get("Retry-After")  # noqa: B009 (of no type we import)
        return HubError(f"{doing}: too many requests (429); ask again {f'in {wait} s' if wait else 'later'}")
    if status >= 500:
        return HubError(f"{doing}: {repo} has trouble of its own ({status}); ask again later, it goes on from there")
    return HubError(f"{doing}: {repo} refused it ({status}): {(str(error).splitlines() or [''])[0]}")


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__
