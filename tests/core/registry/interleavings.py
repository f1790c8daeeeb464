"""Two nights, a rollback, a quarantine, a collector and a reader on one home, in an order that a seed decides.

Each actor is a process of its own that stops before and after every write it makes, to files or to the store, and
goes on when it is told to. Whose turn is next, who is killed (SIGKILL) at which write, and which night is kept
waiting until its lease has run out and gone to the other, all follow from the seed: FOLDER FIRST COUNT. No clock
takes part: a lease runs out when the scheduler says so.
"""

import importlib
import json
import os
import random
import select
import shutil
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from registry_worker import decided, save_weights

from core.registry import Registry, collect
from core.schema import NightshiftError, Promotion, Release
from core.store import LeaseHeld, LeaseLost, Quarantined, open_store
from core.store.database import Database

LEASE, LEASE_S = "night/screen", 3600.0
LONG_AGO_S = 3 * 24 * 3600
BLOCKED_S = 0.25
"An actor that does not reach its next write in this time waits for a lock that another one holds."
LOOK_S = 0.02
ACTORS = ("night a", "night b", "rollback", "quarantine", "collector", "reader")


def registry_of(home: Path) -> Registry:
    return Registry(home / "registry", open_store(f"duckdb:///{home / 'nightshift.duckdb'}"))


def template(home: Path) -> None:
    """A home with two champions behind it, one that serves, and one release that nobody needs."""
    registry = registry_of(home)
    for number in range(3):
        release = put(registry, home, float(number), "before")
        champion = registry.champion("screen")
        if champion is None:
            registry.install(release, "first")
        else:
            decision = decided(champion.id, release, run=f"run {number}")
            registry.promote(release, expected=champion.id, decision=decision, lease=None, token=None)
    put(registry, home, 9.0, "before")
    then = time.time() - LONG_AGO_S
    for path in registry.shelf.folders_of().values():
        os.utime(path, (then, then))


def put(registry: Registry, home: Path, number: float, run: str) -> Release:
    saved = home / "saved" / run / str(number)
    if not saved.exists():
        save_weights(saved, number)
    checkpoint = registry.put(saved, environment="screen", policy="reader", parent=None, run=run)
    return registry.release("screen", {"policy": checkpoint.id})


def night(home: Path, name: str, stop: Callable[..., None]) -> str:
    """Takes the lease, waiting for a dead one to run out, trains (so to say), and promotes under its token."""
    registry = registry_of(home)
    champion = registry.champion("screen")
    assert champion is not None
    while True:
        try:
            lease = registry.store.lease(LEASE, name, LEASE_S)
            break
        except LeaseHeld:
            stop(b"w")
    with lease:
        release = put(registry, home, 100.0 + (name == "night b"), name)
        decision = decided(champion.id, release, run=name)
        try:
            registry.promote(release, expected=champion.id, decision=decision, lease=LEASE, token=lease.token)
        except LeaseLost:
            return "lost the lease"
        except NightshiftError as error:
            return f"refused: {error}"
    return f"promoted {lease.token}"


def roll_back(home: Path, name: str, stop: Callable[..., None]) -> str:  # noqa: ARG001
    try:
        return registry_of(home).rollback("screen", reason="worse", by=name).release
    except NightshiftError as error:
        return f"refused: {error}"


def quarantine(home: Path, name: str, stop: Callable[..., None]) -> str:  # noqa: ARG001
    registry = registry_of(home)
    champion = registry.champion("screen")
    assert champion is not None
    try:
        registry.mark(champion, "quarantined", reason="blind", by=name)
    except NightshiftError as error:
        return f"refused: {error}"
    with suppress(Quarantined):
        registry.promote_by_hand(champion, expected=registry.store.champion("screen"), reason="again", by=name)
        return "VIOLATION: a quarantined release was promoted"
    return "quarantined"


def collector(home: Path, name: str, stop: Callable[..., None]) -> str:  # noqa: ARG001
    try:
        return f"collected {len(collect(registry_of(home), retention_days=30))}"
    except NightshiftError as error:
        return f"refused: {error}"


def reader(home: Path, name: str, stop: Callable[..., None]) -> str:  # noqa: ARG001
    """Whatever it finds as champion must be whole, unless it is champion no more."""
    registry = registry_of(home)
    for _ in range(6):
        champion = registry.champion("screen")
        stop()
        if champion is None:
            return "VIOLATION: there is no champion"
        try:
            registry.shelf.path(champion.checkpoints["policy"])
        except NightshiftError as error:
            if registry.store.champion("screen") == champion.id:
                return f"VIOLATION: {error}"
    return "read"


WORK = {"night": night, "rollback": roll_back, "quarantine": quarantine, "collector": collector, "reader": reader}


class Actor:
    """A forked process that stops at its writes, and the end of the line on which it is told to go on."""

    def __init__(self, home: Path, name: str) -> None:
        self.name, self.passed, self.ended, self.said = name, 0, False, ""
        self.stands, self.waits_for_lease, self.is_blocked = False, False, False
        self.line, theirs = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            self.line.close()
            _act(home, name, theirs)
        theirs.close()

    def hear(self) -> None:
        """Takes in what it says: that it stands at its next write, waits for the lease, or has ended."""
        said = self.line.recv(65536)
        self.is_blocked = False
        if said in (b".", b"w"):
            self.stands, self.waits_for_lease = True, said == b"w"
            return
        self.said, self.ended, self.stands = said.decode(), True, False
        os.waitpid(self.pid, 0)

    def go_on(self) -> None:
        self.passed += 1
        self.stands = self.waits_for_lease = False
        self.line.send(b".")

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self.ended, self.stands, self.said = True, False, "killed"


def _act(home: Path, name: str, line: socket.socket) -> None:
    busy = False

    def stop(why: bytes = b".") -> None:
        nonlocal busy
        if busy:
            return
        busy = True
        line.send(why)
        line.recv(1)
        busy = False

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if (writes or event in ("os.rename", "os.mkdir", "os.remove")) and str(home) in str(arguments[0]):
            stop()

    write = Database.write

    def write_and_stop(database: Database, work: Callable[..., object]) -> object:
        stop()
        done = write(database, work)
        stop()
        return done

    Database.write = write_and_stop  # type: ignore[assignment, method-assign]
    sys.addaudithook(watch)
    try:
        said = WORK[name.split()[0]](home, name, stop)
    except BaseException:
        said = f"VIOLATION: {traceback.format_exc()}"
    line.send(said.encode())
    os._exit(0)


def interleave(home: Path, seed: int) -> dict[str, object]:
    """One order of events. Returns what each actor came to, and how many writes there were."""
    chance = random.Random(seed)
    actors = [Actor(home, name) for name in ACTORS]
    # One night may be held until its lease has run out; anyone but the reader may be killed at any of its writes.
    to_hold, holds_at = chance.choice([None, "night a", "night b"]), chance.randrange(2, 24)
    dies_at = {name: chance.randrange(30) for name in ACTORS[:-1] if chance.random() < 0.35}
    # What takes two steps would nearly always come before what takes twenty.
    comes_at = {name: chance.randrange(200) for name in ("rollback", "quarantine", "collector")}
    held: Actor | None = None
    while any(not actor.ended for actor in actors):
        standing = _standing(actors, held)
        if not standing:
            if held is not None:
                held.go_on()
                held, to_hold = None, None
            continue
        turn = sum(actor.passed for actor in actors)
        come = [actor for actor in standing if turn >= comes_at.get(actor.name, 0)]
        actor = chance.choice(come or standing)
        if actor.passed == dies_at.get(actor.name):
            actor.kill()
            apart(run_out, home, actor.name)
        elif actor.name == to_hold and actor.passed == holds_at:
            held = actor
            apart(run_out, home, actor.name)
        else:
            actor.go_on()
    for actor in actors:
        actor.line.close()
    return {actor.name: actor.said for actor in actors} | {"writes": sum(actor.passed for actor in actors)}


def _standing(actors: list[Actor], held: Actor | None) -> list[Actor]:
    """Who may be told to go on, once everybody who can has reached a write.

    A night that waits for the lease is let be while the other one is at work.
    """
    while True:
        lines = {actor.line: actor for actor in actors if not actor.ended and not actor.stands}
        nobody_else = all(actor.is_blocked for actor in lines.values())
        patience_s = 0.0 if any(actor.stands for actor in actors) else LOOK_S
        heard = select.select(list(lines), [], [], patience_s if nobody_else else BLOCKED_S)[0] if lines else []
        for line in heard:
            lines[line].hear()
        if nobody_else and not heard:
            break
        if not heard:
            for actor in lines.values():
                actor.is_blocked = True
    nights = [actor for actor in actors if actor.name.startswith("night") and not actor.ended and actor is not held]
    return [a for a in actors if a.stands and a is not held and not (a.waits_for_lease and len(nights) > 1)]


def run_out(home: Path, owner: str) -> None:
    """The lease of this night is over, as if it had been silent for too long."""
    over = "UPDATE lease SET \"until\" = TIMESTAMPTZ '2000-01-01 00:00:00+00' WHERE owner = ?"
    registry_of(home).store.database.write(lambda connection: connection.execute(over, [owner]) and None)


def verify(home: Path, said: dict[str, object]) -> list[str]:
    """What does not hold afterwards."""
    registry = registry_of(home)
    wrong = [str(each) for each in said.values() if str(each).startswith("VIOLATION")]
    wrong += registry.store.check()
    history = registry.history("screen")
    champion = registry.champion("screen")
    if champion is None or champion.id != history[-1].release:
        wrong.append("the champion is not the last one of the history")
    if [change.previous for change in history] != [None, *(change.release for change in history[:-1])]:
        wrong.append("the history has a gap")
    if champion is not None:
        with suppress_into(wrong):
            registry.path(champion.checkpoints["policy"])
        if champion.id in registry.quarantined("screen"):
            wrong.append("a quarantined release is champion")
    wrong += _fenced(history, said)
    return wrong


def _fenced(history: list[Promotion], said: dict[str, object]) -> list[str]:
    tokens = [change.token for change in history if change.token is not None]
    wrong = [] if tokens == sorted(set(tokens)) else [f"a night with an old token promoted: {tokens}"]
    for name in ("night a", "night b"):
        token = str(said[name]).removeprefix("promoted ")
        if str(said[name]).startswith("promoted") and int(token) not in tokens:
            wrong.append(f"{name} thinks that it promoted")
    return wrong


class suppress_into:  # noqa: N801 (reads as the standard library's suppress)
    def __init__(self, found: list[str]) -> None:
        self.found = found

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: object, trace: object) -> bool:
        if isinstance(error, NightshiftError):
            self.found.append(str(error))
            return True
        return False


def apart(work: Callable[..., object], *arguments: object) -> object:
    """Runs a function in a process of its own, so that this one never holds a database that its children inherit."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        try:
            theirs.sendall(json.dumps(work(*arguments)).encode())
        except BaseException:
            theirs.sendall(json.dumps([traceback.format_exc()]).encode())
        os._exit(0)
    theirs.close()
    parts = []
    while part := ours.recv(65536):
        parts.append(part)
    os.waitpid(pid, 0)
    ours.close()
    return json.loads(b"".join(parts))


def main(folder: Path, first: int, count: int) -> int:
    # DuckDB imports them at its first statement; once here is cheaper than once in every process.
    for name in ("pandas", "pyarrow"):
        with suppress(ImportError):
            importlib.import_module(name)
    assert apart(template, folder / "template") is None
    told = {"interleavings": 0, "writes": 0, "killed": 0, "promoted": 0, "lost the lease": 0, "quarantined": 0}
    for seed in range(first, first + count):
        home = folder / str(seed)
        shutil.copytree(folder / "template", home)
        said = interleave(home, seed)
        wrong = apart(verify, home, said)
        if wrong:
            sys.stdout.write(json.dumps({"seed": seed, "wrong": wrong, "said": said}) + "\n")
            return 1
        told["interleavings"] += 1
        told["writes"] += int(str(said.pop("writes")))
        for word in list(told)[2:]:
            told[word] += sum(str(each).startswith(word) for each in said.values())
        shutil.rmtree(home)
    sys.stdout.write(json.dumps(told) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
