"""The training process under `accelerate launch`, and the configurations that come with Nightshift."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from accelerate.commands.config.config_args import ClusterConfig, load_config_from_file
from accelerate.commands.launch import _validate_launch_command, launch_command_parser
from accelerate.utils.launch import prepare_deepspeed_cmd_env, prepare_multi_gpu_env
from safetensors.torch import load_file
from test_training_process import SETTINGS, write_job

from core.learning import TrainingJob, TrainingResult, read_steps, run_training
from core.learning.checkpoints import checkpoints_directory

CONFIGURATIONS = sorted(Path("deployments/accelerate").glob("*.yaml"))
LAUNCH = [sys.executable, "-m", "accelerate.commands.launch"]
EXPECTED = {
    "ddp": {"ACCELERATE_MIXED_PRECISION": "no"},
    "fsdp": {"ACCELERATE_USE_FSDP": "true", "FSDP_VERSION": "2", "FSDP_STATE_DICT_TYPE": "FULL_STATE_DICT"},
    "zero2": {"ACCELERATE_USE_DEEPSPEED": "true", "ACCELERATE_DEEPSPEED_ZERO_STAGE": "2"},
    "zero3": {
        "ACCELERATE_USE_DEEPSPEED": "true",
        "ACCELERATE_DEEPSPEED_ZERO_STAGE": "3",
        "ACCELERATE_DEEPSPEED_ZERO3_SAVE_16BIT_MODEL": "true",
    },
}


@pytest.mark.parametrize("path", CONFIGURATIONS, ids=lambda path: path.stem)
def test_accelerate_takes_each_configuration_and_every_name_in_it(path: Path) -> None:
    config = load_config_from_file(str(path))
    assert isinstance(config, ClusterConfig)
    parser = launch_command_parser()
    known = vars(parser.parse_args(["script"]))
    assert {**config.fsdp_config, **config.deepspeed_config}.keys() <= known.keys()
    arguments = parser.parse_args(["--config_file", str(path), "-m", "core.learning.process", "job.json"])
    arguments, _, _ = _validate_launch_command(arguments)
    arguments.deepspeed_fields_from_accelerate_config = list(config.deepspeed_config)  # as `accelerate launch` does
    told = prepare_deepspeed_cmd_env(arguments)[1] if arguments.use_deepspeed else prepare_multi_gpu_env(arguments)
    assert EXPECTED[path.stem].items() <= told.items()


def launched(job: TrainingJob, processes: int) -> "subprocess.CompletedProcess[str]":
    job_file = job.out.with_name("launched.json")
    job_file.write_text(job.model_dump_json())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = [*LAUNCH, "--config_file", "deployments/accelerate/ddp.yaml", "--num_processes", str(processes)]
    path = os.pathsep.join([str(Path.cwd()), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [*command, "--main_process_port", port, "-m", "core.learning.process", str(job_file)],
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"},
        capture_output=True,
        text=True,
        timeout=400,
    )


@pytest.mark.soak
@pytest.mark.timeout(500)
def test_two_launched_processes_leave_one_result_as_one_process_does(tmp_path: Path) -> None:
    alone = write_job(tmp_path / "alone", policy="LinearPolicy")
    run_training(alone, 300)
    job = write_job(tmp_path / "launched", policy="LinearPolicy")
    done = launched(job, 2)
    assert done.returncode == 0, done.stderr
    result = TrainingResult.read(job.out)
    assert result is not None and result.challengers == 3
    steps = [(step["challenger"], step["step"]) for step in read_steps(job.out)]
    assert steps == [(name, step) for name in ("full", "fold-0", "fold-1") for step in range(1, SETTINGS.steps + 1)]
    expected = load_file(alone.out / "full/model.safetensors")
    for name, weight in load_file(result.weights / "model.safetensors").items():
        torch.testing.assert_close(weight, expected[name], rtol=0, atol=1e-5)
    # A night that asks for this job finds it done.
    assert run_training(job, 300) == result
    assert not checkpoints_directory(job.out).exists()
