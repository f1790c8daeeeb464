"""Bootstrap: a labelled folder gives a new model its first idea of the problem.

    sft     champion -> challenger, by the likelihood of the labels alone
    grpo    that challenger -> the next, by the loss of the nights

Nothing is promoted: what comes out is a challenger, and a later night or a person compares it with the champion.
"""

from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger

from core.settings import load_settings
from core.store import Lease, open_store
from flows.vigil import only_night

__all__ = ["bootstrap"]


@flow(name="bootstrap", flow_run_name="{environment}", retries=0, persist_result=False)
def bootstrap(
    dataset: str,
    environment: str = "screen",
    steps: int | None = None,
    learning_rate: float | None = None,
    seed: int = 0,
    home: str | None = None,
) -> dict[str, Any]:
    """Fine-tunes the champion on a labelled folder, then goes on with GRPO; both challengers are kept.

    Raises NightshiftError while a night runs, and where there is nothing to train on or a training fails.
    """
    settings = load_settings(Path(home) if home else None)
    store = open_store(settings.store_url)
    asked = {"steps": steps, "learning_rate": learning_rate, "seed": seed}
    with only_night(store, f"night/{environment}", settings.night.lease_s, tell=get_run_logger().warning) as lease:
        tuned = train("sft", settings.home, environment, Path(dataset), lease, "champion", asked)
        repaired = train("grpo", settings.home, environment, Path(dataset), lease, tuned["challenger"], asked)
    return {"sft": tuned, "grpo": repaired}


@task(retries=0, cache_policy=NO_CACHE, persist_result=False, task_run_name="{method}")
def train(
    method: Any, home: Path, environment: str, dataset: Path, lease: Lease, release: str, asked: dict[str, Any]
) -> dict[str, Any]:
    """One training from `release` on; a process of its own does the work."""
    from core.services import Workspace, train_on_folder

    done = train_on_folder(Workspace.open(home), environment, method, dataset, lease, release=release, **asked)
    get_run_logger().info(f"{method}: {done['steps']} steps on {done['items']} items; challenger {done['challenger']}")
    return done
