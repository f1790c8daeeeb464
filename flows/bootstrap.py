"""Bootstrap: a new model's first idea of the problem, from pictures that nobody labelled or from a labelled folder.

    pictures   from a source into the store, one of each group of near-duplicates
    captions   what each of them shows, in words
    questions  works that each is held against: on task, near miss, off task
    judge      the configured judge's opinion of each question
    select     balanced, easy before hard, validation apart -> a dataset version
    card       the page about it
    sft        champion -> challenger, by the likelihood of the labels alone
    grpo       that challenger -> the next, by the loss of the nights

Up to the card every stage stores its result once, and what it does in pieces it records in pieces: run again, it goes
on where it was killed. Nothing is promoted: what comes out is a challenger, and a later night or a person compares it
with the champion. What a judge said never counts as a person's word.
"""

from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger

from core.schema import NightshiftError, Run
from core.settings import load_settings
from core.store import Lease, open_store
from flows.vigil import only_night

__all__ = ["bootstrap"]

ONCE: dict[str, Any] = {"retries": 0, "cache_policy": NO_CACHE, "persist_result": False}
MAKING = ("pictures", "captions", "questions", "judge", "select", "card")


@flow(name="bootstrap", flow_run_name="{environment}", retries=0, persist_result=False)
def bootstrap(
    source: str | None = None,
    dataset: str | None = None,
    environment: str = "screen",
    wanted: dict[str, Any] | None = None,
    training: bool = True,
    steps: int | None = None,
    learning_rate: float | None = None,
    seed: int = 0,
    home: str | None = None,
) -> dict[str, Any]:
    """Makes a set of the pictures of `source`, or takes the labelled folder `dataset`, and trains on it twice.

    `wanted` is what the settings `bootstrap.*` are to be otherwise, this time.

    Raises NightshiftError unless one of the two is named, while a night or another bootstrap runs, and where a stage
    fails.
    """
    if (source is None) == (dataset is None):
        raise NightshiftError("bootstrap needs a source of pictures or a labelled dataset, and not both")
    settings = load_settings(Path(home) if home else None)
    store, tell = open_store(settings.store_url), get_run_logger().warning
    made: dict[str, Any] = {}
    if source is not None:
        with only_night(store, f"bootstrap/{environment}", settings.night.lease_s, tell=tell) as lease:
            run = begin(settings.home, environment, source, seed, wanted or {})
            for name in MAKING:
                made = stage(name, settings.home, run, lease)
    if not training:
        return made
    asked = {"steps": steps, "learning_rate": learning_rate, "seed": seed}
    what = dataset or str(made["dataset_version"])
    with only_night(store, f"night/{environment}", settings.night.lease_s, tell=tell) as lease:
        tuned = train("sft", settings.home, environment, what, bool(made), lease, "champion", asked)
        repaired = train("grpo", settings.home, environment, what, bool(made), lease, tuned["challenger"], asked)
    return {**made, "sft": tuned, "grpo": repaired}


@task(**ONCE)
def begin(home: Path, environment: str, source: str, seed: int, wanted: dict[str, Any]) -> str:
    """The bootstrap to go on with, or a new one."""
    from core.services import Workspace
    from core.services.bootstrap import begin_bootstrap

    run = begin_bootstrap(Workspace.open(home), environment, source, seed, wanted)
    get_run_logger().info(f"bootstrap {run.id} from {source}")
    return run.id


@task(**ONCE, task_run_name="{name}")
def stage(name: str, home: Path, run_id: str, lease: Lease) -> dict[str, Any]:
    """One stage of the making; what it came to."""
    from core.services import Workspace
    from core.services import bootstrap as stages

    ws = Workspace.open(home)
    (run,) = ws.store.get_many(Run, [run_id])
    done: dict[str, Any] = getattr(stages, name)(ws, run, lease)
    get_run_logger().info(f"{name}: {done}")
    return done


@task(**ONCE, task_run_name="{method}")
def train(
    method: Any,
    home: Path,
    environment: str,
    what: str,
    bootstrapped: bool,
    lease: Lease,
    release: str,
    asked: dict[str, Any],
) -> dict[str, Any]:
    """One training from `release` on; a process of its own does the work."""
    from core.services import Workspace, train_on_folder
    from core.services.bootstrap import train_on_bootstrapped

    ws = Workspace.open(home)
    if bootstrapped:
        done = train_on_bootstrapped(ws, environment, method, what, lease, release=release, **asked)
    else:
        done = train_on_folder(ws, environment, method, Path(what), lease, release=release, **asked)
    get_run_logger().info(f"{method}: {done['steps']} steps on {done['items']} items; challenger {done['challenger']}")
    return done
