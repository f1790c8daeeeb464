"""The benchmark for GPUs runs with few libraries, and says where it cannot."""

import json
import subprocess
import sys

import pytest
import torch

ABSENT = ("trl", "vllm", "prefect", "duckdb", "gradio", "rapidocr", "fastapi", "sklearn", "scipy", "sqlalchemy")
WITHOUT = f"""
import runpy, sys
sys.modules.update(dict.fromkeys({ABSENT!r}))  # importing one of them raises ImportError
from core.learning import on_gpu
on_gpu.SIDE, on_gpu.VERDICTS, on_gpu.BATCHES, on_gpu.STEPS = 112, 2, (1, 2), 1
on_gpu.STEP = on_gpu.STEP.model_copy(update={{"batch_size": 2, "max_new_tokens": 4}})
on_gpu.main()
"""
WITH_TRL = WITHOUT.replace("'trl', ", "")


def run(*options: str, program: str = WITHOUT) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program, *options], capture_output=True, text=True, timeout=300)


def test_it_runs_on_the_tiny_model_with_few_libraries() -> None:
    done = run("--model", "tiny")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["classify"]["p50_ms"] > 0
    assert list(found["screens_per_s"]) == ["1", "2"]
    for kind in ("train", "free_text"):
        assert found[kind]["samples_per_s"] > 0
        assert found[kind]["trl"] is None


@pytest.mark.soak
def test_it_measures_stock_trl_beside_itself_where_that_is_installed() -> None:
    done = run("--model", "tiny", program=WITH_TRL)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert all(found[kind]["trl"]["samples_per_s"] > 0 for kind in ("train", "free_text"))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_without_a_gpu_it_says_so_in_one_line() -> None:
    done = run()
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith("nightshift: there is no GPU here")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu_a_verdict_takes_at_most_60_ms() -> None:
    from core.learning.on_gpu import bench_gpu

    assert bench_gpu()["classify"]["p50_ms"] <= 60
