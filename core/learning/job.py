"""Training in its own OS process, with a deadline, seen from whoever starts it.

The job is a JSON file that names everything by path; the process (`python -m core.learning.process JOB.json`) reads
it, trains, and renames the finished folder into place. It lives in a process group of its own, which is killed at
the deadline, when waiting for it ends in any other way, and by its own watchdog when the one who started it dies.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, JsonValue, NonNegativeInt

from core.disk import sha256_of
from core.learning.checkpoints import checkpoints_directory
from core.learning.refreshes import Refreshes
from core.learning.steps import partial_directory, read_steps
from core.learning.training import HeldOut, TrainingResult
from core.schema import NightshiftError, content_id
from core.settings import LearningSettings

__all__ = ["TrainingJob", "run_training"]

REFUSED = 3
"""Exit status of a training that ended with a message for a person."""

TICK_S = 1.0
ANSWER_S = 0.02
"""A training that asks waits for its answer about this long, and for as long as it takes to find one."""


class TrainingJob(BaseModel):
    """Everything a training process is told. All paths are absolute."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    policy: str
    "Where the policy class is: `package.module:Class`."
    champion: Path
    "Folder of the policy to start from."
    items: Path
    "Training items, as `save_items` writes them."
    features: Path
    "Their encoded features, as `save_features` writes them, in the order of the items."
    held_out: tuple[HeldOut, ...] = ()
    "Examples to be judged by a challenger that did not train on their cluster."
    held_out_features: Path | None = None
    "Their encoded features, in the same order."
    rewards: str = ""
    "For free text: where the function is that makes its rewards, `package.module:function`."
    reward_arguments: dict[str, JsonValue] = {}
    "What it is called with."
    judge: str = ""
    "For free text: where the function is that makes a judge of what is sampled; empty where none is asked."
    judge_arguments: dict[str, JsonValue] = {}
    "What it is called with."
    judge_tokens: NonNegativeInt = 0
    "Spent on judges that night before."
    judge_usd: float = 0.0
    pictures: Path | None = None
    "Folder of the examples' pictures, as `save_pictures` writes it, for rewards and rollout engines that look."
    settings: LearningSettings
    seed: NonNegativeInt
    refreshes: Path | None = None
    "Folder in which the training asks between rounds what enters; None where nothing does."
    out: Path
    "Folder of the result; what is beside it and begins with its name is scratch."

    @property
    def judgments(self) -> Path:
        """Where a judge's words on what was sampled are kept."""
        return self.out.with_name(f"{self.out.name}.judgments.jsonl")

    def fingerprint(self) -> str:
        """Hash of what the result follows from: equal jobs over equal files have equal fingerprints."""
        told = self.model_dump(
            mode="json",
            include={
                "policy", "held_out", "rewards", "reward_arguments", "judge", "judge_arguments", "settings", "seed"
            },
        )  # fmt: skip
        champion = sorted(path for path in self.champion.rglob("*") if path.is_file())
        files: dict[str, JsonValue] = {
            f"champion/{path.relative_to(self.champion).as_posix()}": _sha256(path) for path in champion
        }
        files.update(items=_sha256(self.items), features=_sha256(self.features))
        if self.held_out_features is not None:
            files["held_out_features"] = _sha256(self.held_out_features)
        return content_id(told, files)


def run_training(
    job: TrainingJob,
    deadline_s: float,
    *,
    while_waiting: Callable[[], None] = lambda: None,
    answer: Callable[[int], None] | None = None,
) -> TrainingResult:
    """Runs the job to its end. A job that has already been done is not done again.

    `while_waiting` is called about once a second (to renew a lease, say), and `answer`, with the steps done, when the
    training asks in `job.refreshes` what enters; what they raise stops the training. Raises NightshiftError where the
    training refuses its input, stops being finite, dies, or outlasts `deadline_s`.
    """
    if (job.refreshes is None) != (answer is None):
        raise ValueError("a training that asks needs an answer, and the other way round")
    job_file, log_file = (job.out.with_name(f"{job.out.name}.{kind}") for kind in ("job.json", "log"))
    job.out.parent.mkdir(parents=True, exist_ok=True)
    job_file.write_text(job.model_dump_json(indent=1))
    command = [sys.executable, "-m", "core.learning.process", str(job_file), str(os.getpid())]
    refreshes = Refreshes(job.refreshes) if job.refreshes else None
    if refreshes is not None:
        refreshes.forget_question()
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **_environment(job.settings.threads)},
            start_new_session=True,
        )
    try:
        _wait(process, deadline_s, while_waiting, refreshes, answer)
    except subprocess.TimeoutExpired:
        steps = len(read_steps(job.out)) if partial_directory(job.out).exists() else 0
        _kill_group(process)
        for left in (partial_directory(job.out), checkpoints_directory(job.out)):
            shutil.rmtree(left, ignore_errors=True)
        raise NightshiftError(
            f"training was killed at its deadline of {deadline_s:g} s after {steps} steps (learning.deadline_s); "
            "nothing was kept and the champion stays"
        ) from None
    finally:
        _kill_group(process)
    result = TrainingResult.read(job.out) if process.returncode == 0 else None
    if result is None:
        raise NightshiftError(_last_words(process.returncode, log_file))
    return result


def _wait(
    process: "subprocess.Popen[bytes]",
    deadline_s: float,
    while_waiting: Callable[[], None],
    refreshes: Refreshes | None,
    answer: Callable[[int], None] | None,
) -> None:
    deadline, ticked = time.monotonic() + deadline_s, time.monotonic()
    while process.poll() is None:
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            raise subprocess.TimeoutExpired(process.args, deadline_s)
        try:
            process.wait(min(TICK_S if answer is None else ANSWER_S, left_s))
        except subprocess.TimeoutExpired:
            asked = refreshes.asked() if refreshes is not None else None
            if asked is not None and answer is not None:
                answer(asked)
            if time.monotonic() - ticked >= TICK_S:
                ticked = time.monotonic()
                while_waiting()


def _kill_group(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _environment(threads: int) -> dict[str, str]:
    """One number of threads for every library, so that sums are always split alike; and nothing calls out."""
    return {
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        "OMP_DYNAMIC": "FALSE",
        "MKL_DYNAMIC": "FALSE",
        # Threads that spin at a barrier make a step five times slower as soon as anything else runs on the machine.
        "OMP_WAIT_POLICY": "PASSIVE",
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "DO_NOT_TRACK": "1",
    }


def _last_words(status: int, log_file: Path) -> str:
    lines = log_file.read_text(errors="replace").strip().splitlines() or ["it left no message"]
    if status == REFUSED:
        return lines[-1]
    if status == -signal.SIGKILL:
        lines[-1] = (
            "someone killed it, or the machine ran out of memory (then halve learning.batch_size first); "
            f"its last words: {lines[-1]}"
        )
    how = f"by {signal.Signals(-status).name}" if status < 0 else f"with status {status}"
    return f"the training process ended {how}: {lines[-1]} (all of it in {log_file})"


def _sha256(path: Path) -> str:
    try:
        return sha256_of(path)
    except OSError as error:
        raise NightshiftError(f"cannot read {path}, which training needs: {error.strerror}") from error
