import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from one_of_several import train_here
from safetensors.torch import load_file

SCRIPT = Path(__file__).with_name("one_of_several.py")


def weights_of(processes: int, out: Path) -> list[dict[str, torch.Tensor]]:
    """Each process's weights after the same training, shared among so many."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    world = {"WORLD_SIZE": str(processes), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    root = os.pathsep.join([str(Path.cwd()), os.environ.get("PYTHONPATH", "")])
    running = []
    for rank in range(processes):
        place = {**world, "RANK": str(rank), "LOCAL_RANK": str(rank)}
        environment = {**os.environ, **place, "PYTHONPATH": root, "OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"}
        running.append(subprocess.Popen([sys.executable, str(SCRIPT), str(out)], env=environment))
    assert [each.wait(300) for each in running] == [0] * processes
    return [load_file(out / f"{rank}.safetensors") for rank in range(processes)]


@pytest.mark.timeout(400)
def test_two_processes_give_the_update_of_one_with_the_same_batch(tmp_path):
    alone = train_here(tmp_path)
    first, second = weights_of(2, tmp_path)
    for name, weight in alone.items():
        torch.testing.assert_close(first[name], weight, rtol=0, atol=1e-5)
        assert torch.equal(first[name], second[name])
