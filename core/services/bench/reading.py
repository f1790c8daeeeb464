"""How long reading takes: ours and RapidOCR as it comes, alternately; then again what changed a little.

Changes are drawn onto the same screens, and taken from recordings: what a screen showed from moment to moment.

Wall time is what a person waits; CPU time (`..._cpu_ms`, all threads) is what can be compared on a busy machine.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from PIL import Image

from core.environments.screen.transitions import TRANSITIONS
from core.media import intake, open_image, read_file
from core.policy.reader.policy import ReaderPolicy
from core.reading import Reading, read_image
from core.reading.incremental import MOST_CHANGED, Sight, changed_blocks, read_again
from core.reading.ocr import pixels_of
from core.schema import Example, NightshiftError
from core.services.classify import Classifier
from core.services.folders import FolderRow, read_folder, read_within
from core.services.importing import Progress
from core.services.verifying import screen_findings
from core.services.workspace import Workspace

if TYPE_CHECKING:
    from core.policy.base import Arrays

__all__ = ["bench_reading"]

WIDTH = 1280
PARTS = ("read", "embed", "verdict")
ASKS = 4
"Descriptions that are asked about a recording, which has none of its own."
Result = TypeVar("Result")


class _Stopwatch:
    """Wall and CPU milliseconds by the name of what took them."""

    def __init__(self) -> None:
        self.wall_ms: dict[str, list[float]] = {}
        self.cpu_ms: dict[str, list[float]] = {}

    def time(self, name: str, work: Callable[[], Result]) -> Result:
        wall, cpu = time.perf_counter(), time.process_time()
        result = work()
        self.cpu_ms.setdefault(name, []).append((time.process_time() - cpu) * 1000)
        self.wall_ms.setdefault(name, []).append((time.perf_counter() - wall) * 1000)
        return result

    def total(self, names: Sequence[str]) -> dict[str, Any]:
        """Median and 95th percentile of what the named parts take together, and the median of each."""
        walls = np.sum([self.wall_ms[name] for name in names], axis=0)
        cpus = np.sum([self.cpu_ms[name] for name in names], axis=0)
        parts = {f"{name}_ms": _percentile(self.wall_ms[name], 50) for name in names if len(names) > 1}
        return {
            "p50_ms": _percentile(walls, 50),
            "p95_ms": _percentile(walls, 95),
            "p50_cpu_ms": _percentile(cpus, 50),
            **parts,
        }


class _OneReading:
    """A library of one picture that has been read. Meets `core.policy.Library`; keeps nothing."""

    def __init__(self, image: Image.Image, reading: Reading) -> None:
        self._image, self._reading = image, reading
        self._arrays: dict[str, Arrays] = {}

    def image(self, media: str) -> Image.Image:  # noqa: ARG002
        return self._image

    def reading(self, media: str) -> Reading:  # noqa: ARG002
        return self._reading

    def arrays(self, media: str, name: str, make: "Callable[[], Arrays]") -> "Arrays":  # noqa: ARG002
        if name not in self._arrays:
            self._arrays[name] = make()
        return self._arrays[name]


class _Changes:
    """Screens that differ a little from the one before, read again and held against full readings of them."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier
        self._watch = _Stopwatch()
        self._in_full = 0
        self._lines, self._verdicts = Counter[bool](), Counter[bool]()

    def meet(self, before: Sight, later: Image.Image, asks: Sequence[str]) -> Sight:
        """Reads `later` by what differs from `before`, and in full; the latter is what was seen."""
        found, said = _verdict(self._watch, self._classifier, later, asks, partial(self._again, before))
        whole, expected = _verdict(_Stopwatch(), self._classifier, later, asks, read_image)
        self._verdicts.update(a == b for a, b in zip(said, expected, strict=True))
        self._lines.update(_lines_equal(found, whole))
        return Sight(pixels_of(later), whole)

    def _again(self, before: Sight, image: Image.Image) -> Reading:
        sight = read_again(before, image)
        self._in_full += sight is None
        return read_image(image) if sight is None else sight.reading

    def figures(self) -> dict[str, Any]:
        """What was found; only `n` where nothing was met."""
        if not self._watch.wall_ms:
            return {"n": 0}
        return {
            "n": len(self._watch.wall_ms["read"]),
            **self._watch.total(PARTS),
            "read_in_full": self._in_full,
            "verdicts_equal": round(self._verdicts[True] / self._verdicts.total(), 4),
            "lines_equal": round(self._lines[True] / max(1, self._lines.total()), 4),
        }


def bench_reading(
    ws: Workspace,
    environment: str,
    directory: Path,
    screens: int,
    *,
    frames: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Times from decoded picture to verdict. `frames` holds recordings: folders of pictures in order of their names.

    Raises NightshiftError where no screen is wide enough to be measured, or `frames` holds no recording.
    """
    classifier = Classifier.of_champion(ws, environment)
    if not isinstance(classifier.policy, ReaderPolicy):
        raise NightshiftError(f"the champion of {environment} is a {classifier.policy.name}, which does not read")
    chosen = _wide_screens(ws, directory, screens)
    recorded = _recordings(frames) if frames else []
    stock = _stock()
    full, theirs, rules = _Stopwatch(), _Stopwatch(), _Stopwatch()
    drawn, real = _Changes(classifier), _Changes(classifier)
    _verdict(_Stopwatch(), classifier, *chosen[0], read_image)
    stock(pixels_of(chosen[0][0]))
    for done, (image, asks) in enumerate(chosen, start=1):
        theirs.time("stock", partial(stock, pixels_of(image)))
        reading, _ = _verdict(full, classifier, image, asks, read_image)
        rules.time("verifier", partial(screen_findings, _OneReading(image, reading), "picture"))
        for name, change in TRANSITIONS.items():
            drawn.meet(Sight(pixels_of(image), reading), change(image, Random(f"{done}/{name}")), asks)
        if progress is not None:
            progress(done, len(chosen) + len(recorded))
    asks = [ask for _, of_it in chosen for ask in of_it][:ASKS]
    for done, recording in enumerate(recorded, start=len(chosen) + 1):
        _replay(ws, recording, asks, real)
        if progress is not None:
            progress(done, len(chosen) + len(recorded))
    ours = full.total(PARTS)
    return {
        "n": len(chosen),
        "full": ours,
        "stock": theirs.total(("stock",)),
        "ratio": round(_percentile(theirs.wall_ms["stock"], 50) / ours["read_ms"], 2),
        "verifier": rules.total(("verifier",)),
        "incremental": drawn.figures(),
        "recorded": real.figures(),
    }


def _recordings(frames: Path) -> list[list[Path]]:
    """The pictures of each folder in `frames`, in order of their names; folders with a single one are left out."""
    if not frames.is_dir():
        raise NightshiftError(f"there is no folder {frames}")
    folders = (sorted(frames.glob(f"{folder.name}/*.png")) for folder in sorted(frames.iterdir()) if folder.is_dir())
    found = [pictures for pictures in folders if len(pictures) > 1]
    if not found:
        raise NightshiftError(f"{frames} has no folder with two pictures (.png) of one screen")
    return found


def _replay(ws: Workspace, recording: Sequence[Path], asks: Sequence[str], changes: _Changes) -> None:
    """Meets what changed in a recording by no more than a screen may that is read again; repeats are passed over."""
    before: Sight | None = None
    for file in recording:
        image = open_image(intake(read_file(file, ws.settings.media), ws.settings.media, name=file.name)[1])
        if before is not None and before.pixels_HWC.shape[:2] == (image.height, image.width):
            changed = changed_blocks(before.pixels_HWC, pixels_of(image)).mean()
            if changed == 0:
                continue
            if changed <= MOST_CHANGED:
                before = changes.meet(before, image, asks)
                continue
        before = Sight(pixels_of(image), read_image(image))


def _verdict(
    watch: _Stopwatch,
    classifier: Classifier,
    image: Image.Image,
    asks: Sequence[str],
    read: Callable[[Image.Image], Reading],
) -> tuple[Reading, list[int]]:
    """The reading, and for each description which answer is likeliest; the first description's verdict is timed."""
    policy = classifier.policy
    assert isinstance(policy, ReaderPolicy)
    # The parts of an earlier screen may be known; those of this one must not be, for a reading of it to be timed.
    library = _OneReading(image, watch.time("read", partial(read, image)))
    watch.time("embed", partial(policy.screen, "picture", library))
    examples = [classifier.environment.example(("picture",), ask, cluster="") for ask in asks]
    said = [watch.time("verdict", partial(_likeliest, classifier, examples[0], library))]
    return library.reading("picture"), said + [_likeliest(classifier, example, library) for example in examples[1:]]


def _likeliest(classifier: Classifier, example: Example, library: _OneReading) -> int:
    return int(np.argmax(classifier.answer_logprobs([example], library)[0]))


def _lines_equal(found: Reading, whole: Reading) -> Counter[bool]:
    """How many lines both readings hold, and how many lines of the longer one they do not share."""
    ours, theirs = (Counter(line.text for line in reading.lines) for reading in (found, whole))
    shared = (ours & theirs).total()
    return Counter({True: shared, False: max(ours.total(), theirs.total()) - shared})


def _wide_screens(ws: Workspace, directory: Path, screens: int) -> list[tuple[Image.Image, list[str]]]:
    """Screens at least WIDTH pixels wide, brought to that width, spread over the folder, each with its asks."""
    rows: dict[str, list[FolderRow]] = {}
    for row in read_folder(directory):
        rows.setdefault(row.file, []).append(row)
    wide = []
    for file, of_it in rows.items():
        try:
            data = read_within(directory / "images", file, ws.settings.media)
            image = open_image(intake(data, ws.settings.media, name=file)[1])
        except NightshiftError:
            continue
        if image.width >= WIDTH:
            size = (WIDTH, round(image.height * WIDTH / image.width))
            wide.append((image.resize(size, Image.Resampling.LANCZOS), [row.ask for row in of_it]))
    if not wide:
        raise NightshiftError(f"{directory} has no screen that is {WIDTH} pixels wide")
    step = max(1, len(wide) // screens)
    return wide[::step][:screens]


def _stock() -> Callable[[Any], Any]:
    from rapidocr import RapidOCR

    engine: Callable[[Any], Any] = RapidOCR(params={"Global.log_level": "critical"})
    return engine


def _percentile(values: Any, percent: float) -> float:
    return round(float(np.percentile(values, percent)), 1)
