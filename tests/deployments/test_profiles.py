from pathlib import Path

import pytest

from core.settings import load_settings
from core.settings.tree import PROFILES


@pytest.mark.parametrize("profile", sorted(path.stem for path in PROFILES.glob("*.toml")))
def test_a_shipped_profile_loads(profile: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTSHIFT_PROFILE", profile)
    assert load_settings(home).profile == profile
