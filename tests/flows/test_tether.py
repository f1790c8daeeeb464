"""What is started with `start_tethered` never outlives its starter, and leaves nothing behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from flows.tether import start_tethered

# Starts a sleeper of its own, says which, and sleeps on; told to stop it stops, or does not.
FAMILY = """
import pathlib, signal, subprocess, sys, time
if {stubborn}:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
pathlib.Path({path!r}).write_text(str(child.pid))
time.sleep({sleep})
sys.exit(5)
"""


@pytest.fixture
def family(tmp_path: Path) -> Callable[..., list[str]]:
    def command(sleep: float = 600, stubborn: bool = False) -> list[str]:
        return [sys.executable, "-c", FAMILY.format(path=str(tmp_path / "child"), sleep=sleep, stubborn=stubborn)]

    return command


def child_of(tmp_path: Path) -> psutil.Process:
    """The sleeper, once it is there."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if (tmp_path / "child").exists() and (pid := (tmp_path / "child").read_text()):
            return psutil.Process(int(pid))
        time.sleep(0.02)
    raise AssertionError("the family did not start")


def is_gone(process: psutil.Process, within_s: float = 30) -> bool:
    deadline = time.monotonic() + within_s
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_a_status_is_passed_on_and_what_is_left_of_the_family_is_killed(
    family: Callable[..., list[str]], tmp_path: Path
) -> None:
    with (tmp_path / "log").open("wb") as log:
        process = start_tethered(family(sleep=0.5), log=log)

    assert process.wait(60) == 5
    assert is_gone(child_of(tmp_path))


@pytest.mark.parametrize("stubborn", [False, True])
def test_all_of_it_ends_when_it_is_asked_to_even_if_it_will_not(
    family: Callable[..., list[str]], tmp_path: Path, stubborn: bool
) -> None:
    with (tmp_path / "log").open("wb") as log:
        process = start_tethered(family(stubborn=stubborn), log=log)
    child = child_of(tmp_path)

    process.terminate()

    assert process.wait(60) == 128 + (signal.SIGKILL if stubborn else signal.SIGTERM)
    assert is_gone(child)


def test_all_of_it_ends_when_its_starter_is_killed(family: Callable[..., list[str]], tmp_path: Path) -> None:
    starter = (
        "import sys, time; from flows.tether import start_tethered\n"
        f"start_tethered({family()!r}, log=open({str(tmp_path / 'log')!r}, 'wb'))\n"
        "time.sleep(600)"
    )
    process = subprocess.Popen([sys.executable, "-c", starter])
    child = child_of(tmp_path)
    tethered = [child, *child.parents()[:2]]

    process.kill()
    process.wait()

    assert all(is_gone(each) for each in tethered if each.pid != os.getpid())


def test_a_folder_named_as_one_of_our_packages_is_not_taken_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "__init__.py").write_text("raise RuntimeError('the wrong one')")
    monkeypatch.chdir(tmp_path)

    with (tmp_path / "log").open("wb") as log:
        process = start_tethered([sys.executable, "-c", "import flows"], log=log)

    assert process.wait(60) == 0
