"""How long variants take: made, and read again where they have other pixels, of screens drawn anew.

Wall time is what a night waits; CPU time (`..._cpu_ms`, all threads) is what can be compared on a busy machine.
"""

import multiprocessing
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from core.learning.variants import Draft, Labelled, VariantContext, VariantKind, draft_pictures, draft_variants
from core.reading import text_encoder
from core.schema import Correction, Example, Media
from core.services.ablation.lessons import drawn_lessons, labelled_folder
from core.services.importing import Progress, import_folder
from core.services.night.pictures import VARIANT_SEED, Piece, Spread, candidate_of, take_in_picture
from core.services.night.variants import GONE
from core.services.workspace import Workspace

__all__ = ["bench_variants"]

DESCRIPTIONS = 2
"Of each drawn screen."
SPAWN = multiprocessing.get_context("spawn")
PATIENCE_S = 900


@dataclass
class _Taken:
    """Of one kind: what each variant took, and what it still shows."""

    making_s: float = 0.0
    read_ms: list[float] = field(default_factory=list)
    read_cpu_ms: list[float] = field(default_factory=list)
    left: list[float] = field(default_factory=list)

    def figures(self) -> dict[str, Any]:
        """JSON-ready; None where nothing had to be read."""
        return {
            "n": len(self.left),
            "make_ms": round(1000 * self.making_s / max(1, len(self.left)), 2),
            "read_ms": round(fmean(self.read_ms), 1) if self.read_ms else None,
            "read_cpu_ms": round(fmean(self.read_cpu_ms), 1) if self.read_cpu_ms else None,
            "dropped": round(float(np.mean([left < GONE for left in self.left])), 4) if self.left else 0.0,
        }


def bench_variants(
    environment: str, spread: Spread, *, screens: int, processes: int, progress: Progress = lambda *_: None
) -> dict[str, Any]:
    """Every kind once on each of `screens` drawn screens: in this process, then in another home made by so many
    processes at once, their start left out, and all pictures made and read by `spread`, its start included.

    A variant is made when its picture is kept, or its description written; readings of the parents are there already.
    """
    with tempfile.TemporaryDirectory(prefix="nightshift-variants-") as scratch:
        root = Path(scratch)
        lessons = drawn_lessons(root / "drawn", DESCRIPTIONS * screens)
        labelled_folder(root / "labelled", lessons, lessons.rows)
        alone, together = (_home(root / name, root / "labelled", environment, processes) for name in ("alone", "many"))
        kinds = alone.environment(environment).variant_kinds
        taken = {kind.name: _Taken() for kind in kinds}
        parents = _parents(alone)[:screens]
        text_encoder().embed(["loaded before anything is timed"])
        for done, parent in enumerate(parents, start=1):
            for kind in kinds:
                _vary(alone, environment, parent, parents, kind, taken[kind.name])
            progress(done, 2 * len(parents))
        again = _parents(together)[:screens]
        made_together = _made_per_s(together, environment, again, processes)
        pieces = _pieces(together, again, kinds)
        started = time.perf_counter()
        made = [each for page in spread(together, environment, pieces) for each in page]
        seconds = time.perf_counter() - started
        progress(2 * len(parents), 2 * len(parents))
    making_s = sum(each.making_s for each in taken.values())
    reading_s = sum(sum(each.read_ms) for each in taken.values()) / 1000
    count, read = sum(len(each.left) for each in taken.values()), sum(len(each.read_ms) for each in taken.values())
    return {
        "screens": len(parents),
        "made": count,
        "made_per_s": round(count / making_s, 2),
        "read_per_s": round(read / reading_s, 2),
        "kinds": {name: each.figures() for name, each in taken.items()},
        "processes": {
            "n": processes,
            "made_per_s": round(made_together, 2),
            "pictures": len(made),
            "pictures_per_s": round(len(made) / seconds, 2),
        },
    }


def _made_per_s(ws: Workspace, environment: str, parents: Sequence[Labelled], processes: int) -> float:
    """Variants a second of all kinds, by processes that begin together and each take a share of the parents."""
    ready, told = SPAWN.Barrier(processes), SPAWN.Queue()
    workers = [
        SPAWN.Process(target=_make_share, args=(ws.home, environment, parents, place, processes, ready, told))
        for place in range(processes)
    ]
    for worker in workers:
        worker.start()
    shares = [told.get(timeout=PATIENCE_S) for _ in workers]
    for worker in workers:
        worker.join()
    began, ended = min(each[1] for each in shares), max(each[2] for each in shares)
    return float(sum(each[0] for each in shares) / (ended - began))


def _make_share(
    home: Path, environment: str, parents: Sequence[Labelled], place: int, of: int, ready: Any, told: Any
) -> None:
    """What one process makes: how many, and from when to when by the machine's clock."""
    ws = Workspace.open(home)
    kinds = ws.environment(environment).variant_kinds
    text_encoder().embed(["loaded before anything is timed"])
    ready.wait()
    began, made = time.perf_counter(), 0
    for parent in parents[place::of]:
        for kind in kinds:
            made += len(_make(ws, parent, parents, kind))
    told.put((made, began, time.perf_counter()))


def _home(home: Path, folder: Path, environment: str, processes: int) -> Workspace:
    """One in which every screen has been read."""
    ws = Workspace.open(home, variants={"processes": processes})
    import_folder(ws, environment, folder)
    for parent in _parents(ws):
        ws.library.reading(parent.example.media[0])
    return ws


def _parents(ws: Workspace) -> list[Labelled]:
    """One labelled example of each screen."""
    answer_of = {word.example: word.answer for word in ws.store.find(Correction)}
    by_screen = {example.media[0]: example for example in ws.store.find(Example, id=set(answer_of))}
    return [Labelled(example, answer_of[example.id]) for example in by_screen.values()]


def _vary(
    ws: Workspace,
    environment: str,
    parent: Labelled,
    parents: Sequence[Labelled],
    kind: VariantKind,
    taken: _Taken,
) -> None:
    """One kind of one screen."""
    started = time.perf_counter()
    drafts = _make(ws, parent, parents, kind)
    taken.making_s += time.perf_counter() - started
    for draft in drafts:
        started, cpu = time.perf_counter(), time.process_time()
        taken.left.append(candidate_of(ws, environment, draft).left)
        if kind.changes_pixels:
            taken.read_ms.append((time.perf_counter() - started) * 1000)
            taken.read_cpu_ms.append((time.process_time() - cpu) * 1000)


def _make(ws: Workspace, parent: Labelled, parents: Sequence[Labelled], kind: VariantKind) -> Sequence[Draft]:
    """Variants of one kind, their pictures kept."""
    if not kind.changes_pixels:
        context = VariantContext(parents, ws.library)
        return draft_variants(parent, [kind], context, seed=VARIANT_SEED, limit=kind.limit)
    drafts = draft_pictures(parent, [kind], ws.library, seed=VARIANT_SEED)
    for draft in drafts:
        assert draft.image is not None
        take_in_picture(ws, draft.image)
    return drafts


def _pieces(ws: Workspace, parents: Sequence[Labelled], kinds: Sequence[VariantKind]) -> list[Piece]:
    names = tuple(kind.name for kind in kinds if kind.changes_pixels)
    pictures = ws.store.get_many(Media, [parent.example.media[0] for parent in parents])
    return [
        Piece(parent=parent.example, answer=parent.answer, picture=picture, kinds=names)
        for parent, picture in zip(parents, pictures, strict=True)
    ]
