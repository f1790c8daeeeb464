"""The training process itself: `python -m core.learning.process JOB.json [PID of who started it]`.

`accelerate launch -m core.learning.process JOB.json` shares one job among several; only the first of them writes.

It ends with status 0 when the job's folder is complete, and with a line for a person and status 3 when the job
cannot be done. It kills itself when the process that started it is gone.
"""

import fcntl
import importlib
import os
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

import torch
from pydantic import ValidationError

from core.judge import Spent
from core.learning.checkpoints import checkpoints_directory
from core.learning.features import load_features
from core.learning.items import load_items
from core.learning.job import REFUSED, TrainingJob
from core.learning.pictures import SavedPictures
from core.learning.processes import is_main_process, process_count, process_number, together
from core.learning.refreshes import Refreshes
from core.learning.rewarding import Rewarding, rewards_at
from core.learning.teacher import Teacher, judge_at
from core.learning.training import TrainingResult, train
from core.policy import Policy
from core.schema import NightshiftError

WATCH_S = 0.2
LOCK_WAIT_S = 10.0
OUT_OF_MEMORY = (
    "{what} ran out of memory; nothing was saved and the champion stays. Halve learning.batch_size first, "
    "then vlm.max_pixels; vlm.last_blocks and vlm.dtype save memory too"
)


def main(arguments: list[str]) -> int:
    """Runs the job in the file `arguments[0]`; `arguments[1]` is the process to live and die with."""
    if len(arguments) > 1:
        _die_with(int(arguments[1]))
    try:
        job = _read_job(Path(arguments[0]))
        if len(arguments) == 1:
            job = job.model_copy(update={"refreshes": None})  # nobody is there to answer
        with Path(arguments[0]).open("rb") as lock:
            if is_main_process():
                _lock(lock.fileno(), job)
            with together():
                run(job)
    except (MemoryError, RuntimeError) as error:
        what = _what_is_full(error)
        if what is None:
            raise
        sys.stderr.write(f"{OUT_OF_MEMORY.format(what=what)}\n")
        return REFUSED
    except NightshiftError as error:
        sys.stderr.write(f"{error}\n")
        return REFUSED
    return 0


def run(job: TrainingJob) -> TrainingResult:
    """Trains what the job says, unless its folder already holds just that. Raises NightshiftError."""
    fingerprint = job.fingerprint()
    done = TrainingResult.read(job.out)
    if done is not None and done.job == fingerprint:
        shutil.rmtree(checkpoints_directory(job.out), ignore_errors=True)  # killed before it could
        return done
    torch.set_num_threads(job.settings.threads)
    return train(
        load_items(job.items),
        load_features(job.features),
        policy_class(job.policy).load(job.champion),
        job.settings,
        seed=job.seed,
        out=job.out,
        held_out=job.held_out,
        held_out_features=load_features(job.held_out_features) if job.held_out_features else (),
        rewarding=_rewarding(job),
        job=fingerprint,
        refreshes=Refreshes(job.refreshes) if job.refreshes else None,
    )


def _rewarding(job: TrainingJob) -> Rewarding | None:
    if not job.rewards:
        return None
    library = SavedPictures(job.pictures) if job.pictures is not None else None
    teacher = None
    if job.judge:
        kept = job.judgments if is_main_process() else job.judgments.with_suffix(f".{process_number()}.jsonl")
        # Without pictures a judge that wants to look is told that they are not there.
        looks_at = library or SavedPictures(job.out.with_name("no-pictures"))
        spent = Spent(job.judge_tokens, job.judge_usd)
        teacher = Teacher(judge_at(job.judge, job.judge_arguments), looks_at, kept, spent)
    return Rewarding(rewards_at(job.rewards, job.reward_arguments), library, teacher)


def policy_class(place: str) -> type[Policy]:
    """The policy class at `package.module:Class`. Raises NightshiftError where there is none."""
    module, _, name = place.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise NightshiftError(f"no policy class at {place!r} (expected package.module:Class): {error}") from error
    if not (isinstance(found, type) and issubclass(found, Policy)):
        raise NightshiftError(f"{place!r} is not a policy class")
    return found


def _read_job(path: Path) -> TrainingJob:
    try:
        return TrainingJob.model_validate_json(path.read_bytes())
    except OSError as error:
        raise NightshiftError(f"cannot read the training job: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise NightshiftError(f"{path} is not a training job: {where}: {first['msg']}") from error


def _lock(file: int, job: TrainingJob) -> None:
    """Waits until no other process works on this job: one whose starter was just killed may be about to end."""
    deadline = time.monotonic() + LOCK_WAIT_S
    while True:
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise NightshiftError(f"another process is training into {job.out}") from None
            time.sleep(WATCH_S)


def _what_is_full(error: MemoryError | RuntimeError) -> str | None:
    """Whose memory has run out, if that is what happened."""
    if isinstance(error, torch.OutOfMemoryError):
        return "the accelerator"
    # For the CPU torch has no exception of its own.
    full = isinstance(error, MemoryError) or "can't allocate memory" in str(error)
    return "the machine" if full else None


def _die_with(parent: int) -> None:
    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(WATCH_S)
        # The group is ours alone when we lead it; else it belongs to whoever started us from a shell.
        target = os.killpg if os.getpgrp() == os.getpid() else os.kill
        target(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, name="watchdog", daemon=True).start()


if __name__ == "__main__":
    status = main(sys.argv[1:])
    if process_count() > 1:
        # Threads of a process group now and then abort an interpreter on its way out, when all is done.
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)
