"""What holds for the tree as a whole."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MOST_LINES = 450
REGISTRY = re.compile(
    r"https?://[^\s\"'<>/]*(?:pypi|pythonhosted|anaconda|conda|artifactory|nexus|devpi|jfrog|npmjs|yarnpkg|mirror)"
    r"[^\s\"'<>]*|--(?:extra-)?index-url[= ]+\S+|^--find-links",
    re.IGNORECASE | re.MULTILINE,
)
SOMEBODYS = re.compile(r"(?<![\w./~<{])/(?:home|Users|root|work|workspace|mnt|opt/[a-z]+/envs)/[\w.-]+")


def tracked() -> list[Path]:
    """Every file of the tree that git keeps. Skips where the tree is no git checkout."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def texts() -> dict[str, str]:
    """Tracked files that are text, by their name from the top."""
    found = {}
    for path in tracked():
        try:
            found[path.relative_to(ROOT).as_posix()] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
    return found


def matches(pattern: re.Pattern[str]) -> dict[str, list[str]]:
    """What `pattern` finds, by file; this one names what it looks for."""
    others = {name: text for name, text in texts().items() if name != "tests/test_house.py"}
    return {name: found for name, text in others.items() if (found := pattern.findall(text))}


def test_every_package_imports_only_what_stands_before_it() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    if not linter.exists():
        pytest.skip("import-linter is not installed")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_file_is_too_long_to_keep_in_mind() -> None:
    lengths = {
        name: text.count("\n") + 1
        for name, text in texts().items()
        if name.split("/")[0] in ("core", "flows", "app") and name.endswith((".py", ".sql", ".js", ".css", ".toml"))
    }
    assert lengths
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES and "/data/" not in name} == {}


def test_no_file_says_where_packages_are_downloaded_from() -> None:
    assert matches(REGISTRY) == {}


def test_no_file_names_a_folder_of_somebodys_machine() -> None:
    assert matches(SOMEBODYS) == {}
