import os
import signal
import subprocess
import sys
import textwrap
import time

import psutil
import pytest
from linear_policy import LinearPolicy, item, new_policy, vector_of

from core.learning import HeldOut, TrainingJob, read_steps, run_training, save_features, save_items, train
from core.learning.process import main
from core.schema import NightshiftError
from core.settings import LearningSettings

SETTINGS = LearningSettings(steps=20, batch_size=8, learning_rate=0.05, threads=1)
LONG_S = 300


def write_job(directory, *, out="out", policy="SlowPolicy", settings=SETTINGS):
    directory.mkdir(exist_ok=True)
    items = [item(f"screen {i}", cluster=f"cluster {i}", label=i % 3) for i in range(12)]
    features = [vector_of(each.example) for each in items]
    new_policy().save(directory / "champion")
    save_items(directory / "items.json", items)
    save_features(directory / "features.safetensors", features)
    save_features(directory / "held_out.safetensors", features[:4])
    return TrainingJob(
        policy=f"linear_policy:{policy}",
        champion=directory / "champion",
        items=directory / "items.json",
        features=directory / "features.safetensors",
        held_out=tuple(
            HeldOut(example=each.example.id, cluster=each.example.cluster, fold=i % 2)
            for i, each in enumerate(items[:4])
        ),
        held_out_features=directory / "held_out.safetensors",
        settings=settings,
        seed=5,
        out=directory / out,
    )


def outcome(directory):
    """Every byte that must not depend on when or how often the training was started."""
    files = [*sorted((directory / "full").iterdir()), directory / "crossfit.json"]
    return {path.name: path.read_bytes() for path in files}


def wait_until(true, seconds=60):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def trainings():
    """The training processes that run below this one, whatever else other tests have left running."""
    return [child for child in psutil.Process().children() if "core.learning.process" in child.cmdline()]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    job = write_job(tmp_path_factory.mktemp("undisturbed"))
    return job, run_training(job, LONG_S)


def test_a_training_process_leaves_weights_evidence_and_figures(undisturbed):
    job, result = undisturbed
    assert result.directory == job.out and result.weights == job.out / "full"
    assert result.crossfit.keys() == {each.example for each in job.held_out}
    assert result.challengers == 3 and len(read_steps(job.out)) == 3 * SETTINGS.steps
    assert LinearPolicy.load(result.weights).answers


def test_a_process_trains_the_very_weights_that_training_in_place_does(undisturbed, tmp_path):
    job, result = undisturbed
    items = [item(f"screen {i}", cluster=f"cluster {i}", label=i % 3) for i in range(12)]
    features = [vector_of(each.example) for each in items]
    train(
        items,
        features,
        LinearPolicy.load(job.champion),
        SETTINGS,
        seed=job.seed,
        out=tmp_path / "here",
        held_out=job.held_out,
        held_out_features=features[:4],
    )
    assert outcome(tmp_path / "here") == outcome(result.directory)


def test_a_job_that_is_done_is_not_done_again(undisturbed):
    job, _ = undisturbed
    before = (job.out / "result.json").stat().st_mtime_ns
    run_training(job, LONG_S)
    assert (job.out / "result.json").stat().st_mtime_ns == before


def test_a_training_killed_in_mid_step_and_run_again_gives_the_same_bytes(undisturbed, tmp_path, monkeypatch):
    monkeypatch.setenv("SLOW_POLICY_S", "0.1")
    job = write_job(tmp_path / "killed")

    def kill_in_the_middle():
        if len(read_steps(job.out)) >= 3:
            (training,) = trainings()
            training.send_signal(signal.SIGKILL)

    with pytest.raises(NightshiftError, match="SIGKILL"):
        run_training(job, LONG_S, while_waiting=kill_in_the_middle)
    assert not job.out.exists()

    monkeypatch.setenv("SLOW_POLICY_S", "0")
    run_training(job, LONG_S)
    assert outcome(job.out) == outcome(undisturbed[1].directory)
    assert sorted(path.name for path in job.out.parent.iterdir() if "partial" in path.name) == []


def test_the_deadline_kills_the_training_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("SLOW_POLICY_S", "60")
    job = write_job(tmp_path / "late")
    with pytest.raises(NightshiftError, match=r"killed at its deadline of 2 s after 0 steps"):
        run_training(job, 2)
    assert not job.out.exists()
    assert trainings() == []


def test_what_the_waiting_one_raises_stops_the_training(tmp_path, monkeypatch):
    monkeypatch.setenv("SLOW_POLICY_S", "60")

    def lease_is_lost():
        raise NightshiftError("the lease is lost")

    with pytest.raises(NightshiftError, match="the lease is lost"):
        run_training(write_job(tmp_path / "lost"), LONG_S, while_waiting=lease_is_lost)
    assert trainings() == []


def test_the_training_dies_with_the_process_that_started_it(tmp_path, monkeypatch):
    monkeypatch.setenv("SLOW_POLICY_S", "60")
    job = write_job(tmp_path / "orphan")
    (tmp_path / "job.json").write_text(job.model_dump_json())
    starter = subprocess.Popen(
        [
            sys.executable,
            "-c",
            textwrap.dedent(f"""
                from pathlib import Path
                from core.learning import TrainingJob, run_training
                run_training(TrainingJob.model_validate_json(Path({str(tmp_path / "job.json")!r}).read_text()), 300)
            """),
        ]
    )
    (training,) = wait_for_child(starter)
    os.kill(starter.pid, signal.SIGKILL)
    starter.wait()
    wait_until(lambda: not training.is_running() or training.status() == psutil.STATUS_ZOMBIE)
    assert not job.out.exists()


def wait_for_child(starter):
    process = psutil.Process(starter.pid)
    wait_until(process.children)
    return process.children()


def test_a_refusal_reaches_the_starter_as_one_line(tmp_path):
    job = write_job(tmp_path / "refused").model_copy(update={"items": tmp_path / "nowhere"})
    with pytest.raises(NightshiftError) as refusal:
        run_training(job, LONG_S)
    assert str(tmp_path / "nowhere") in str(refusal.value) and "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "place", ["linear_policy:NoSuchPolicy", "no_such_module:Policy", "linear_policy", "json:loads"]
)
def test_a_job_that_names_no_policy_is_refused(tmp_path, capsys, place):
    job = write_job(tmp_path / "unknown").model_copy(update={"policy": place})
    (tmp_path / "job.json").write_text(job.model_dump_json())
    assert main([str(tmp_path / "job.json")]) == 3
    assert repr(place) in capsys.readouterr().err


@pytest.mark.parametrize("missing", ["champion", "items", "features"])
def test_a_job_whose_files_are_gone_is_refused(tmp_path, capsys, missing):
    job = write_job(tmp_path / "gone").model_copy(update={missing: tmp_path / "nowhere"})
    (tmp_path / "job.json").write_text(job.model_dump_json())
    assert main([str(tmp_path / "job.json")]) == 3
    assert str(tmp_path / "nowhere") in capsys.readouterr().err
    assert not job.out.exists()


@pytest.mark.parametrize("content", [None, "{}", "no json"])
def test_a_file_that_is_no_job_is_refused(tmp_path, capsys, content):
    path = tmp_path / "job.json"
    if content is not None:
        path.write_text(content)
    assert main([str(path)]) == 3
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize(("policy", "full"), [("GreedyPolicy", "the accelerator"), ("HungryPolicy", "the machine")])
def test_where_memory_runs_out_it_is_said_which_settings_save_some(tmp_path, capsys, policy, full):
    job = write_job(tmp_path / "job", policy=policy)
    (tmp_path / "job.json").write_text(job.model_dump_json())
    assert main([str(tmp_path / "job.json")]) == 3
    said = capsys.readouterr().err
    assert f"{full} ran out of memory" in said and "learning.batch_size" in said and "vlm.max_pixels" in said
    assert not job.out.exists()


def test_importing_the_package_pulls_in_neither_trl_nor_duckdb_nor_prefect():
    code = "import sys, core.learning; print([m for m in ('trl', 'duckdb', 'prefect', 'datasets') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
