"""The night: people's corrections become a challenger, and the challenger champion if it earns it.

    retention  screens that nobody gave feedback on, and whose time is over, are erased, before another night begins
    ingest     what people said since the last night; one cluster of near-duplicates in five is golden, never trained on
    variants   the same, said again of screens and descriptions that differ in what should not matter
    judge      the teacher's opinion of what nobody labelled, weighed by what it gets right beyond the champion
    train      champion -> challenger, in a process of its own
    evaluate   challenger, reloaded from disk, beside the champion, on the same feedback neither trained on
    gate       every check -> promoted, refused or undecided
    frozen     challengers that waited for evidence -> promoted, given up or waiting; tonight's joins them if promising
    promote    the champion's name moves, if it is still the same champion and this is still the only night
    report     the page a person reads in the morning

Every stage stores its result once, under the night's lease. A night that was killed goes on where it was when the
flow is run again, with the same outcome; so nothing here retries, and nothing but ids passes between stages.
"""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger
from prefect.runtime import flow_run

from core.schema import NightshiftError, Run
from core.settings import load_settings
from core.store import Lease, LeaseLost, Store, StoreBusy, open_store
from flows.vigil import in_turn, only_night

if TYPE_CHECKING:
    from core.services.night import Stage

__all__ = ["Night", "nightly"]

ONCE: dict[str, Any] = {"retries": 0, "cache_policy": NO_CACHE, "persist_result": False}
"""How Prefect runs a stage. That a stage is done is recorded in the store, where a killed night finds it."""


class Night(NamedTuple):
    """Where a night finds itself."""

    home: str
    environment: str
    run: str


@flow(name="nightly", flow_run_name="{environment}, by {trigger}", retries=0, persist_result=False)
def nightly(
    environment: str = "screen", seed: int | None = None, home: str | None = None, trigger: str = "request"
) -> dict[str, Any]:
    """One night of an environment: from people's corrections to a promoted, refused or undecided challenger.

    Without a seed, an unfinished night is gone on with, or a new one takes its seed from the date. Raises
    NightshiftError where another night is alive, nothing can be learnt, or a stage fails.
    """
    settings = load_settings(Path(home) if home else None)
    store = open_store(settings.store_url)
    lease_s, tell = settings.night.lease_s, get_run_logger().warning
    with ExitStack() as whole:
        with in_turn(store, lease_s, tell=tell):
            lease = whole.enter_context(only_night(store, f"night/{environment}", lease_s, tell=tell))
            night = begin(settings.home, environment, seed, trigger)
            let_go(night, lease)
        look_at_inbox(settings.home, environment, lease)
        ingest(night, lease)
        make_variants(night, lease)
        judge(night, lease)
        train(night, lease)
        evaluate(night, lease)
        gate(night, lease)
        look_at_frozen(night, lease)
        promote(night, lease)
        told = report(night, lease)
        tend(store)
        return told


@task(**ONCE)
def look_at_inbox(home: Path, environment: str, lease: Lease) -> None:
    """What is new where the environment has an inbox. A night learns without it where that cannot be looked at."""
    if load_settings(home).group_qc.inbox is None:
        return
    from core.services import Workspace
    from core.services.groups import inspect_inbox

    try:
        done = inspect_inbox(Workspace.open(home), environment, progress=lambda *_: lease.renew())
    except (LeaseLost, StoreBusy):
        raise
    except NightshiftError as error:
        get_run_logger().warning(f"the inbox was not looked at: {error}")
        return
    if done is not None:
        _say("{inspected} new groups were inspected", **done)
        for each in (*done["stopped"], *done["left_out"]):
            get_run_logger().warning(f"{each.get('group') or each['file']}: {each['reason']}")


@task(**ONCE)
def begin(home: Path, environment: str, seed: int | None, trigger: str) -> Night:
    """The unfinished night, or a new one over what people have said so far."""
    from core.services import Workspace
    from core.services import night as stages

    ws = Workspace.open(home)
    run = stages.begin(ws, environment, seed=seed, trigger=trigger)
    stages.keep_flow_run(ws, run.id, str(flow_run.id))
    _say("night {run} with seed {seed}", run=run.id, seed=run.seed)
    return Night(str(home), environment, run.id)


@task(**ONCE)
def let_go(night: Night, lease: Lease) -> None:
    """Screens that nobody gave feedback on go once they are old."""
    done = _once("retention", night, lease)
    _say("{erased} old screens without feedback were erased", **done)
    if done.get("failed"):
        _say("retention failed: {failed}", **done)


@task(**ONCE)
def ingest(night: Night, lease: Lease) -> None:
    """Corrections since the last snapshot become examples; golden clusters are set aside."""
    done = _once("ingest", night, lease)
    _say("{ingested} new words of people; {train} examples to train on, {golden} golden", **done)


@task(**ONCE)
def make_variants(night: Night, lease: Lease) -> None:
    """Up to ten variants a correction, that keep or knowingly flip its label; pictures by several processes."""
    from core.services.night import make_variants_by
    from flows.pictures import in_processes

    _say("{variants} variants", **_once("make_variants", night, lease, make_variants_by(in_processes)))


@task(**ONCE)
def judge(night: Night, lease: Lease) -> None:
    """Judgments of doubtful and labelled examples, and the share of the reward that the judge has earned."""
    _say("{judge} judged {judged} examples and earned {share:.0%} of its share", **_once("judge", night, lease))


@task(**ONCE)
def train(night: Night, lease: Lease) -> None:
    """Champion to challenger, and a challenger for each fold of the cross-fitted evidence."""
    _say("{steps} steps on {items} items at {ms_per_step:.0f} ms", **_once("train", night, lease))


@task(**ONCE)
def evaluate(night: Night, lease: Lease) -> None:
    """Both releases on golden and on cross-fitted feedback."""
    _say("scored on {golden} golden and {crossfit} cross-fitted examples", **_once("evaluate", night, lease))


@task(**ONCE)
def gate(night: Night, lease: Lease) -> None:
    """Every check on the challenger, and the outcome."""
    _say("{outcome}: {reason}", **_once("gate", night, lease))


@task(**ONCE)
def look_at_frozen(night: Night, lease: Lease) -> None:
    """Every challenger that waits, on what was labelled since; tonight's begins to wait if it is promising."""
    done = _once("frozen", night, lease)
    for told in done["waiting"]:
        _say("frozen {challenger:.12} {state}: {reason}", **told)
    if done["froze"]:
        _say("tonight's challenger is promising and waits for evidence")


@task(**ONCE)
def promote(night: Night, lease: Lease) -> None:
    """Tonight's challenger, or a frozen one, becomes champion if the gate said so."""
    done = _once("promote", night, lease)
    _say("the challenger is champion now" if done["promoted"] else "the champion stays")


@task(**ONCE)
def report(night: Night, lease: Lease) -> dict[str, Any]:
    """The page for the morning; returns the night as one object."""
    done = _once("report", night, lease)
    _say("the report is at {page}", **done)
    result: dict[str, Any] = done["night"]
    return result


def tend(store: Store) -> None:
    """The day's small writes are put in order. A night is none the worse where that fails: the next one does it."""
    try:
        for what, number in store.tend().items():
            _say("{number} {what}", number=number, what=what.replace("_", " "))
    except NightshiftError as error:
        get_run_logger().warning(f"the store was not put in order: {error}")


def _once(stage: str, night: Night, lease: Lease, work: "Stage | None" = None) -> dict[str, Any]:
    """Runs a stage that is not done yet, by `work` where that is not all its name says; returns what it left in the
    store."""
    # Services bring torch with them: seconds and memory that the process which only serves this flow can do without.
    from core.services import Workspace
    from core.services import night as stages

    ws = Workspace.open(Path(night.home))
    (run,) = ws.store.get_many(Run, [night.run])
    try:
        done: dict[str, Any] = (work or getattr(stages, stage))(ws, run, lease).result
    except NightshiftError as error:
        kind = type(error) if isinstance(error, LeaseLost | StoreBusy) else NightshiftError
        raise kind(f"the night stopped in {stage!r}: {error}") from error
    return done


def _say(words: str, **figures: Any) -> None:
    get_run_logger().info(words.format(**figures))
