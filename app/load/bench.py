"""`nightshift bench serve`: a real server under load, beside the same server with a batch of 1, and while it swaps.

Fresh screens were never seen: each is read. Repeated ones were: what is measured is everything but reading. Batched and
unbatched servers take turns on repeated screens, so that what else the machine does meets both.
"""

import io
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count, cycle, islice
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import torch
from PIL import Image, ImageDraw

from app.load.clients import Answered, Request, figures, send_all
from app.load.servers import Server, home_of_its_own, serving
from app.terminal import Progress
from core.environments.screen.draw import draw_samples
from core.schema import NightshiftError, Release, new_id
from core.services import Classifier, Workspace
from core.services.classify import take_in
from core.services.folders import read_folder, read_within
from core.settings import MediaSettings

__all__ = ["Extent", "bench_serve", "load_requests", "other_release"]

ENVIRONMENT = "screen"
NOTICED_S = 60.0
SAME = 1e-3
"By how much the probabilities of one release for one screen may differ: company changes the last digits."
UNBATCHED = {"NIGHTSHIFT_ENGINE__BATCH": "1"}


@dataclass(frozen=True)
class Extent:
    """How much is sent. The defaults are what figures are told from; tests take less."""

    clients: tuple[int, ...] = (1, 8, 32)
    "The last one is what batched and unbatched are compared at."
    screens: int = 24
    repeated: int = 12
    "Requests a client with screens that were seen."
    fresh: int = 3
    "And with screens that were not."
    least: int = 12
    "Requests of a kind, however few the clients."
    turns: int = 3
    "Times that the batched and the unbatched server are measured against each other."
    swaps: int = 20
    swap_clients: int = 8


def bench_serve(
    dataset: Path | None, *, extent: Extent | None = None, progress: Progress = lambda *_: None
) -> dict[str, Any]:
    """Rates and latencies by number of clients, beside a batch of 1, and swaps under load; drawn screens by default.

    `mixed` counts answers whose probability is not what the release they name gives that screen.
    """
    extent = extent or Extent()
    steps = count(1)
    total = 2 * len(extent.clients) + 2 * extent.turns + extent.swaps

    def step() -> None:
        progress(next(steps), total)

    requests = load_requests(dataset, extent.screens)
    with home_of_its_own() as home:
        ws = Workspace.open(home)
        with serving(home) as batched:
            send_all(batched.address, requests, 2)
            by_clients = {
                str(clients): {
                    "fresh": _measured(batched, _fresh(requests, clients, extent), clients, step),
                    "repeated": _measured(batched, _repeated(requests, clients, extent), clients, step),
                }
                for clients in extent.clients
            }
            with serving(home, UNBATCHED) as unbatched:
                rates = _in_turns(batched, unbatched, requests, extent, step)
            swaps = _swapped(ws, batched, requests, extent, step)
    return {
        "by_clients": by_clients,
        "unbatched_rps_32": round(rates[1], 2),
        "ratio": round(rates[0] / rates[1], 3),
        "swaps": swaps,
    }


def load_requests(dataset: Path | None, most: int) -> list[Request]:
    """Screens of a labelled folder, spread over it, each with a description of work; drawn ones where none is named."""
    if dataset is None:
        with TemporaryDirectory() as drawn:
            draw_samples(Path(drawn))
            return load_requests(Path(drawn), most)
    media = MediaSettings()
    rows = list({row.file: row for row in read_folder(dataset)}.values())
    chosen = rows[:: max(1, len(rows) // most)][:most]
    return [Request(read_within(dataset / "images", row.file, media), row.ask) for row in chosen]


def other_release(ws: Workspace, environment: str = ENVIRONMENT) -> Release:
    """A release like the champion but for its weights, so that it gives other probabilities."""
    champion = Classifier.of_champion(ws, environment)
    policy = champion.environment.untrained_policy(ws.settings)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in policy.model.parameters():
            if weight.requires_grad:
                weight.add_(0.1 * torch.randn(weight.shape, generator=generator, dtype=torch.float32).to(weight))
    folder = ws.home / f"other-{new_id()}"
    policy.save(folder)
    checkpoint = ws.registry.put(folder, environment=environment, policy=policy.name, run=new_id())
    return ws.registry.release(environment, {"policy": checkpoint.id})


def _repeated(requests: Sequence[Request], clients: int, extent: Extent) -> list[Request]:
    return list(islice(cycle(requests), max(extent.least, extent.repeated * clients)))


def _fresh(requests: Sequence[Request], clients: int, extent: Extent) -> list[Request]:
    """Screens as nobody saw them: each with a patch somewhere that it never had."""
    random = Random(f"fresh/{clients}")
    wanted = islice(cycle(requests), max(extent.least, extent.fresh * clients))
    return [Request(_patched(request.picture, random), request.work) for request in wanted]


def _patched(picture: bytes, random: Random) -> bytes:
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    left, top = random.randrange(image.width - 8), random.randrange(image.height - 8)
    colour = (random.randrange(256), random.randrange(256), random.randrange(256))
    ImageDraw.Draw(image).rectangle((left, top, left + 7, top + 7), fill=colour)
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=1)
    return out.getvalue()


def _measured(server: Server, requests: Sequence[Request], clients: int, step: Callable[[], None]) -> dict[str, Any]:
    found = figures(*send_all(server.address, requests, clients))
    step()
    return found


def _in_turns(
    batched: Server, unbatched: Server, requests: Sequence[Request], extent: Extent, step: Callable[[], None]
) -> tuple[float, float]:
    """Answers a second of both servers, at the largest number of clients."""
    clients = extent.clients[-1]
    share = _repeated(requests, clients, extent)
    send_all(unbatched.address, requests, 2)
    answered, seconds = [0, 0], [0.0, 0.0]
    for _ in range(extent.turns):
        for place, server in enumerate((batched, unbatched)):
            done, took_s = send_all(server.address, share, clients)
            answered[place] += sum(each.status == 200 for each in done)
            seconds[place] += took_s
            step()
    return answered[0] / seconds[0], answered[1] / seconds[1]


def _swapped(
    ws: Workspace, server: Server, requests: Sequence[Request], extent: Extent, step: Callable[[], None]
) -> dict[str, int]:
    """Champions that replace each other while clients ask; each swap is waited for until the server has made it."""
    (first,) = ws.store.get_many(Release, [str(ws.store.champion(ENVIRONMENT))])
    pair = (first, other_release(ws))
    expected = {release.id: _probabilities(ws, release, requests) for release in pair}
    over, found = threading.Event(), list[Answered]()

    def load() -> None:
        asked = cycle(requests)
        found.extend(send_all(server.address, asked, extent.swap_clients, go_on=lambda: not over.is_set())[0])

    clients = threading.Thread(target=load, name="clients")
    clients.start()
    try:
        for swap in range(extent.swaps):
            before, after = pair[swap % 2], pair[1 - swap % 2]
            ws.registry.promote_by_hand(after, expected=before.id, reason="benchmark", by="benchmark")
            _await_swap(server, after)
            step()
    finally:
        over.set()
        clients.join()
    return {
        "n": extent.swaps,
        "failed": sum(each.status != 200 for each in found),
        "mixed": sum(each.status == 200 and not _is_whole(each, expected) for each in found),
    }


def _await_swap(server: Server, release: Release) -> None:
    until = time.monotonic() + NOTICED_S
    while httpx.get(f"{server.address}/readyz", timeout=30).json()["serving"][ENVIRONMENT] != release.id:
        if time.monotonic() > until:
            raise NightshiftError(
                f"the server did not take on its new champion within {NOTICED_S:g} s; see {server.log}"
            )
        time.sleep(0.02)


def _probabilities(ws: Workspace, release: Release, requests: Sequence[Request]) -> dict[Request, float]:
    """What a release gives each screen for its first answer, found without any server."""
    classifier = Classifier.of_release(ws, release)
    pictures = [take_in(ws, request.picture, name=None, source=None, session=None) for request in requests]
    examples = [
        classifier.environment.example((media.id,), request.work, cluster=media.id)
        for media, request in zip(pictures, requests, strict=True)
    ]
    said = classifier.predict(examples, explain=False)
    return dict(zip(requests, (_of_first(each.answer, each.probability) for each in said), strict=True))


def _is_whole(each: Answered, expected: dict[str, dict[Request, float]]) -> bool:
    given = _of_first(each.body["verdict"], each.body["probability"])
    return abs(given - expected[each.body["release"]][each.request]) < SAME


def _of_first(verdict: object, probability: float) -> float:
    return probability if verdict == "on_task" else 1 - probability
