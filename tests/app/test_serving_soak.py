"""A server in a process of its own: killed while people speak, loaded for long, and while champions change."""

import threading
from itertools import cycle, islice

import httpx
import pytest
from serving import WORK, picture

from app.load import Server, send_all, serving
from app.load.bench import Extent, bench_serve, load_requests
from core.schema import Correction, Prediction
from core.services import Workspace

pytestmark = pytest.mark.soak

WORDS, SPEAKERS, KILLED_AFTER = 200, 8, 60
REQUESTS, SETTLED, CLIENTS = 20_000, 4_000, 8


def say(address, prediction, words, acknowledged, enough):
    """Posts words, each under a key of its own, until the server is gone; notes what was acknowledged."""
    with httpx.Client(base_url=address, timeout=60) as http:
        for number in words:
            body = {"prediction_id": prediction, "label": "off_task", "reason": f"word {number}"}
            try:
                answer = http.post("/v1/feedback", json=body, headers={"Idempotency-Key": f"word-{number}"})
            except httpx.TransportError:
                return
            assert answer.status_code == 201, answer.text
            acknowledged[number] = answer.json()["correction_id"]
            if len(acknowledged) >= KILLED_AFTER:
                enough.set()


def speak(address, prediction, enough):
    """Several people at once say every word; what was acknowledged, by its number."""
    acknowledged = {}
    threads = [
        threading.Thread(target=say, args=(address, prediction, range(first, WORDS, SPEAKERS), acknowledged, enough))
        for first in range(SPEAKERS)
    ]
    for thread in threads:
        thread.start()
    return threads, acknowledged


def test_every_word_that_was_acknowledged_is_there_after_a_kill_and_none_twice(tmp_path):
    home = tmp_path / "home"
    server, enough = Server(home), threading.Event()
    asked = httpx.post(
        f"{server.address}/v1/screen/predictions",
        files={"image": ("s.png", picture())},
        data={"work": WORK},
        timeout=60,
    )
    prediction = asked.json()["prediction_id"]
    threads, before = speak(server.address, prediction, enough)
    assert enough.wait(120)
    server.kill()
    for thread in threads:
        thread.join(60)
    assert KILLED_AFTER <= len(before) < WORDS
    with serving(home) as restarted:
        ws = Workspace.open(home)
        there = {word.id: word.reason for word in ws.store.find(Correction)}
        assert {id: f"word {number}" for number, id in before.items()}.items() <= there.items()
        threads, after = speak(restarted.address, prediction, threading.Event())
        for thread in threads:
            thread.join(120)
    assert len(after) == WORDS
    assert before.items() <= after.items()
    rows = ws.store.database.read(
        lambda connection: connection.execute("SELECT count(*), count(DISTINCT id) FROM correction_event").fetchone()
    )
    assert rows == (WORDS, WORDS)


@pytest.mark.timeout(3600)
def test_memory_stays_flat_over_twenty_thousand_requests(tmp_path):
    requests = load_requests(None, 24)
    with serving(tmp_path / "home") as server:
        found, _ = send_all(server.address, list(islice(cycle(requests), SETTLED)), CLIENTS)
        settled, seen = server.memory_mib(), []
        for _ in range((REQUESTS - SETTLED) // 1000):
            found += send_all(server.address, list(islice(cycle(requests), 1000)), CLIENTS)[0]
            seen.append(server.memory_mib())
    assert {each.status for each in found} == {200}
    assert Workspace.open(tmp_path / "home").store.count(Prediction) == REQUESTS
    assert max(seen) <= 1.1 * settled, (settled, seen)


def test_the_benchmark_finds_no_mixed_and_no_failed_answer():
    extent = Extent(clients=(1, 4), screens=6, repeated=4, fresh=1, least=4, turns=1, swaps=4, swap_clients=4)
    found = bench_serve(None, extent=extent)
    assert set(found) == {"by_clients", "unbatched_rps_32", "ratio", "swaps"}
    assert found["swaps"] == {"n": 4, "failed": 0, "mixed": 0}
    for kinds in found["by_clients"].values():
        assert {kind: of_it["errors"] for kind, of_it in kinds.items()} == {"fresh": 0, "repeated": 0}
