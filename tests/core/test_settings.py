from pathlib import Path

import pytest

from core.schema import NightshiftError
from core.settings import load_settings, resolve_home
from core.settings.tree import PROFILES


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "PROFILE", "STORE", "LEARNING__STEPS", "GATE__ALPHA"):
        monkeypatch.delenv(f"NIGHTSHIFT_{name}", raising=False)


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A profile called `small`, beside no others."""
    directory = tmp_path / "profiles"
    directory.mkdir()
    (directory / "small.toml").write_text("[learning]\nsteps = 11\nbatch_size = 7\n[gate]\nalpha = 0.11\n")
    monkeypatch.setattr("core.settings.tree.PROFILES", directory)
    return directory


def write_own(home: Path, text: str) -> None:
    (home / "nightshift.toml").write_text(text, encoding="utf-8")


def test_a_profile_wins_over_the_defaults(home: Path, profile: Path) -> None:  # noqa: ARG001
    write_own(home, 'profile = "small"\n')
    settings = load_settings(home)
    assert (settings.profile, settings.learning.steps, settings.gate.alpha) == ("small", 11, 0.11)


def test_the_homes_file_wins_over_the_profile_field_by_field(home: Path, profile: Path) -> None:  # noqa: ARG001
    write_own(home, 'profile = "small"\n[learning]\nsteps = 22\n')
    learning = load_settings(home).learning
    assert (learning.steps, learning.batch_size) == (22, 7)


def test_the_environment_wins_over_the_homes_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_own(home, "[learning]\nsteps = 22\nbatch_size = 9\n")
    monkeypatch.setenv("NIGHTSHIFT_LEARNING__STEPS", "33")
    learning = load_settings(home).learning
    assert (learning.steps, learning.batch_size) == (33, 9)


def test_an_override_wins_over_the_environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTSHIFT_LEARNING__STEPS", "33")
    monkeypatch.setenv("NIGHTSHIFT_LEARNING__BATCH_SIZE", "5")
    monkeypatch.setenv("NIGHTSHIFT_STORE", "duckdb:////elsewhere.duckdb")
    settings = load_settings(home, learning={"steps": 44}, store="")
    assert (settings.learning.steps, settings.learning.batch_size) == (44, 5)
    assert settings.store_url == f"duckdb:///{home / 'nightshift.duckdb'}"


def test_a_profile_can_be_named_by_the_environment_or_the_caller(
    home: Path,
    profile: Path,  # noqa: ARG001
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert load_settings(home, profile="small").learning.steps == 11
    monkeypatch.setenv("NIGHTSHIFT_PROFILE", "small")
    assert load_settings(home).profile == "small"


def test_an_unknown_profile_is_refused_naming_those_there_are(home: Path) -> None:
    write_own(home, 'profile = "enormous"\n')
    with pytest.raises(NightshiftError, match="no profile 'enormous'; there are: cpu, gpu"):
        load_settings(home)


def test_a_home_given_explicitly_wins_over_the_environment(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NIGHTSHIFT_HOME", str(tmp_path / "other"))
    assert load_settings(home).home == home
    assert load_settings().home == tmp_path / "other"


def test_without_any_word_the_home_is_a_folder_of_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert resolve_home(None) == tmp_path / ".nightshift"


@pytest.mark.parametrize(
    ("written", "field"),
    [
        ("[gate]\nalpha = 0.9\n", "gate.alpha"),
        ("[learning]\nsteps = 0\n", "learning.steps"),
        ('[learning]\ngroups = "some"\n', "learning.groups"),
        ("[gate]\nalhpa = 0.1\n", "gate.alhpa"),
        ("[review]\nclaim_s = 120\n", "review.claim_s"),
        ('[night]\nschedule = "0 0 2 * * *"\n', "night.schedule"),
        ("colour = 1\n", "colour"),
        ("[reward]\njudge = 0\nexact_verdict = 0\nvisual_verifier = 0\n", "reward"),
    ],
)
def test_a_wrong_value_in_the_homes_file_names_its_field(home: Path, written: str, field: str) -> None:
    write_own(home, written)
    with pytest.raises(NightshiftError, match=f"setting '{field}': ") as refused:
        load_settings(home)
    assert "\n" not in str(refused.value)


def test_a_wrong_value_in_the_environment_names_its_field(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTSHIFT_SERVE__PORT", "seven")
    with pytest.raises(NightshiftError, match=r"setting 'serve\.port'.*seven"):
        load_settings(home)


def test_a_section_in_the_environment_that_is_no_json_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTSHIFT_GATE", "{alpha")
    with pytest.raises(NightshiftError, match=r"NIGHTSHIFT_.*gate"):
        load_settings(home)


@pytest.mark.parametrize("written", [b"[gate\nalpha=1", b"\xff\xfe\x00"])
def test_a_file_that_is_not_toml_is_refused_by_name(home: Path, written: bytes) -> None:
    (home / "nightshift.toml").write_bytes(written)
    with pytest.raises(NightshiftError, match=r"nightshift.toml is not valid TOML"):
        load_settings(home)


def test_a_settings_file_that_cannot_be_read_is_refused_by_name(home: Path) -> None:
    (home / "nightshift.toml").mkdir()
    with pytest.raises(NightshiftError, match=r"nightshift.toml cannot be read"):
        load_settings(home)


def test_every_shipped_profile_loads(home: Path) -> None:
    for shipped in PROFILES.glob("*.toml"):
        assert load_settings(home, profile=shipped.stem).profile == shipped.stem


def test_everything_an_installation_writes_is_under_its_home(home: Path) -> None:
    settings = load_settings(home)
    assert settings.store_url == f"duckdb:///{home}/nightshift.duckdb"
    assert Path(settings.blobs_url).parent == settings.cache_dir.parent == settings.registry_dir.parent == home


def test_the_readers_learning_rate_is_refused_for_the_vision_language_student(home: Path) -> None:
    with pytest.raises(NightshiftError, match=r"learning_rate 0\.2 suits the reader .* take 0\.0001"):
        load_settings(home, policy="vlm")
    assert load_settings(home, policy="vlm", learning={"learning_rate": 0.0001}).vlm.rank == 16
