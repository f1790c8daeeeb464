"""Many clients at once, each sending its next request when the last one is answered."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import httpx
import numpy as np

__all__ = ["Answered", "Request", "figures", "send_all"]

TIMEOUT_S = 120.0


class Request(NamedTuple):
    """A picture, and the description of the work it is held against."""

    picture: bytes
    work: str


class Answered(NamedTuple):
    """How a request ended; `status` is 0 where there was no answer at all."""

    request: Request
    status: int
    ms: float
    body: dict[str, Any]


def send_all(
    address: str,
    requests: Iterable[Request],
    clients: int,
    *,
    environment: str = "screen",
    go_on: Callable[[], bool] = lambda: True,
) -> tuple[list[Answered], float]:
    """Sends every request once, while `go_on` says so; how each ended, in order of their ends, and seconds in all."""
    return asyncio.run(_send_all(address, requests, clients, environment, go_on))


async def _send_all(
    address: str, requests: Iterable[Request], clients: int, environment: str, go_on: Callable[[], bool]
) -> tuple[list[Answered], float]:
    waiting, done = iter(requests), list[Answered]()
    limits = httpx.Limits(max_connections=clients, max_keepalive_connections=clients)
    async with httpx.AsyncClient(base_url=address, timeout=TIMEOUT_S, limits=limits) as http:

        async def client() -> None:
            for request in waiting:
                if not go_on():
                    return
                done.append(await _sent(http, f"/v1/{environment}/predictions", request))

        began = time.perf_counter()
        await asyncio.gather(*(client() for _ in range(clients)))
        return done, time.perf_counter() - began


async def _sent(http: httpx.AsyncClient, path: str, request: Request) -> Answered:
    began = time.perf_counter()
    try:
        response = await http.post(path, files={"image": request.picture}, data={"work": request.work})
    except httpx.TransportError as error:
        return Answered(request, 0, (time.perf_counter() - began) * 1000, {"detail": str(error)})
    return Answered(request, response.status_code, (time.perf_counter() - began) * 1000, response.json())


def figures(answered: Sequence[Answered], seconds: float) -> dict[str, Any]:
    """Rate, percentiles of the latency in milliseconds, and how many were not answered."""
    latencies = [each.ms for each in answered if each.status == 200]
    p50, p95, p99 = np.percentile(latencies, (50, 95, 99)) if latencies else (float("nan"),) * 3
    return {
        "rps": round(len(latencies) / seconds, 2),
        "p50_ms": round(float(p50), 1),
        "p95_ms": round(float(p95), 1),
        "p99_ms": round(float(p99), 1),
        "errors": len(answered) - len(latencies),
    }
