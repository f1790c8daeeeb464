"""What the commands answer, as programs read it."""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from few_screens import SCREENS, few_screens
from forked import nightshift

from core.store import open_store


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A labelled folder of a few drawn screens."""
    return few_screens(tmp_path_factory.mktemp("samples"))


@pytest.fixture(scope="module")
def filled(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home into which the samples were imported."""
    home = tmp_path_factory.mktemp("home")
    (samples / "images" / "broken.png").write_text("not a picture")
    with (samples / "tasks.csv").open("a", encoding="utf-8") as tasks:
        tasks.write("broken.png,Write the report.,on_task,not a picture\n")
    ended = nightshift(home / "commands", "import", str(samples), "--home", str(home), "--json")
    assert ended.status == 0, ended.err
    assert ended.answer["screens"] == SCREENS
    assert ended.answer["examples"] == 2 * SCREENS
    assert ended.answer["duplicates"] == 0
    assert [each["file"] for each in ended.answer["rejected"]] == ["broken.png"]
    return home


def test_help_comes_at_once_and_brings_no_model_along() -> None:
    started = time.perf_counter()
    loaded = subprocess.run(
        [sys.executable, "-c", "import json, sys, app.cli; print(json.dumps(list(sys.modules)))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    seconds = time.perf_counter() - started

    assert not {"torch", "prefect", "gradio", "duckdb", "transformers", "numpy"} & set(
        json.loads(loaded.replace("'", '"'))
    )
    assert seconds < 20


def test_importing_again_changes_nothing(filled: Path, samples: Path) -> None:
    ended = nightshift(filled / "commands", "import", str(samples), "--home", str(filled), "--json")

    assert ended.answer["screens"] == 0
    assert ended.answer["examples"] == 0
    assert ended.answer["duplicates"] == SCREENS


def test_a_verdict_can_be_corrected_and_the_correction_taken_back(filled: Path, samples: Path) -> None:
    picture = str(sorted((samples / "images").glob("*.png"))[-1])
    asked = ("classify", picture, "--work", "Grow tomatoes on the balcony.", "--home", str(filled), "--json")

    said = nightshift(filled / "commands", *asked).answer
    assert said["verdict"] in ("on_task", "off_task")
    assert 0.5 <= said["probability"] <= 1 and 0 <= said["confidence"] <= 1
    assert said["latency_ms"] > 0 and said["release"] and isinstance(said["evidence"], list)
    other = "on_task" if said["verdict"] == "off_task" else "off_task"

    correct = ("correct", said["prediction_id"], "--home", str(filled), "--json")
    corrected = nightshift(filled / "commands", *correct, "--label", other, "--reason", "I say so")
    assert corrected.status == 0
    assert corrected.answer["label"] == other
    again = nightshift(filled / "commands", *asked).answer
    assert again["verdict"] == other and again["from_person"]

    assert nightshift(filled / "commands", *correct, "--undo").answer["undone"] == corrected.answer["correction_id"]
    assert nightshift(filled / "commands", *asked).answer["verdict"] == said["verdict"]


def test_evaluating_gives_every_figure_and_leaves_no_trace(filled: Path, samples: Path) -> None:
    before = open_store(f"duckdb:///{filled / 'nightshift.duckdb'}").tables()

    figures = nightshift(
        filled / "commands", "evaluate", "--dataset", str(samples), "--home", str(filled), "--json"
    ).answer

    assert figures["n"] == 2 * SCREENS
    assert figures["ci95"][0] <= figures["accuracy"] <= figures["ci95"][1]
    assert {"balanced_accuracy", "auroc", "ece", "hard", "by_category", "latency_ms"} <= set(figures)
    assert set(figures["latency_ms"]) == {"p50", "p95"}
    assert open_store(f"duckdb:///{filled / 'nightshift.duckdb'}").tables() == before


def test_an_audit_says_of_a_judge_and_of_each_member_of_a_panel_what_its_word_is_worth(filled: Path) -> None:
    ended = nightshift(filled / "commands", "judge", "audit", "--home", str(filled), "--json")

    (audit,) = ended.answer["audits"]
    assert (ended.status, ended.answer["environment"], audit["judge"]) == (0, "screen", "reading")
    assert audit["n"] == 2 * SCREENS and audit["left_out"] == 0
    assert {"scored", "accuracy", "kappa", "kappa_ci95", "ece", "position_bias", "calls", "cached"} <= set(audit)
    assert {"cost_usd", "usd_per_judgment", "seconds", "by_category", "share", "wins", "losses"} <= set(audit)


def test_the_history_begins_with_the_untrained_model(filled: Path) -> None:
    changes = nightshift(filled / "commands", "models", "history", "--home", str(filled), "--json").answer["history"]

    assert [change["action"] for change in changes] == ["install"]


def test_the_doctor_finds_a_damaged_picture_and_ends_with_status_1(filled: Path, tmp_path: Path) -> None:
    home = tmp_path / "copy"
    shutil.copytree(filled, home)
    assert nightshift(tmp_path, "doctor", "--home", str(home), "--json").answer["ok"]
    shutil.rmtree(home / "blobs")

    ended = nightshift(tmp_path, "doctor", "--home", str(home), "--json")

    assert ended.status == 1
    assert [each["name"] for each in ended.answer["findings"] if not each["ok"]] == ["pictures"]


def test_without_json_a_person_reads_words(filled: Path, samples: Path) -> None:
    picture = str(sorted((samples / "images").glob("*.png"))[-1])

    ended = nightshift(filled / "commands", "classify", picture, "--work", "Write.", "--home", str(filled))

    assert ended.status == 0
    assert "task" in ended.out and "nightshift correct" in ended.out


CHATTER = """
import os, subprocess, sys
from app.terminal import Answer, run

def command(terminal):
    print("from Python")
    os.write(1, b"from a library\\n")
    subprocess.run([sys.executable, "-c", "print('from a process')"])
    {last}
    return Answer({{"n": 1}}, lambda console: console.print("shown"))

run(command, home=None, as_json={as_json})
"""


def chatter(as_json: bool, tmp_path: Path, last: str = "pass") -> "subprocess.CompletedProcess[str]":
    code = CHATTER.format(as_json=as_json, last=last)
    home = {"NIGHTSHIFT_HOME": str(tmp_path)}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=home, check=False)


def test_what_libraries_and_processes_print_does_not_reach_standard_output(tmp_path: Path) -> None:
    for as_json, expected in ((True, '{"n": 1}\n'), (False, "shown\n")):
        ended = chatter(as_json, tmp_path)

        assert ended.returncode == 0
        assert ended.stdout == expected
        assert all(f"from {source}" in ended.stderr for source in ("Python", "a library", "a process"))


def test_a_fault_of_ours_is_one_line_and_its_traceback_is_kept(tmp_path: Path) -> None:
    ended = chatter(True, tmp_path, last="raise ZeroDivisionError('oh')")

    log = tmp_path / "logs" / "errors.log"
    assert ended.returncode == 1
    assert str(log) in json.loads(ended.stdout)["error"]
    assert "Traceback" not in ended.stderr
    assert "ZeroDivisionError: oh" in log.read_text()
