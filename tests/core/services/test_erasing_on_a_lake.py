"""Erasure where records lie in Parquet files and in Postgres."""

from pathlib import Path

import pytest
from labelled_folder import Pair
from lakes import new_lake

from core.schema import Correction
from core.services import Classifier, Wanted, Workspace, classify, correct, forget


def test_what_is_forgotten_leaves_the_files_and_the_catalog_of_a_lake(
    ws: Workspace, pairs: list[Pair], postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = new_lake(postgres, tmp_path / "lake")
    home = Workspace.open(tmp_path / "home", store=url, cache=ws.settings.cache_dir)
    classifier = Classifier.of_champion(home, "screen")
    gone, kept = (classify(home, classifier, pair.data, pair.ask) for pair in (pairs[0], pairs[2]))
    correct(home, gone.id, "off_task", reviewer="ann", reason="she showed me her letter")
    correct(home, kept.id, "on_task", reviewer="ben")
    home.store.tend()
    correct(home, gone.id, "on_task", reviewer="ann", reason="it was her letter")
    assert home.store.remains((), ["her letter"])

    done = forget(home, Wanted(screen=gone.id))

    assert done["proof"]["ok"], done["proof"]["found"]
    assert done["proof"]["rewritten"]
    assert home.store.remains((gone.id,), ["her letter"]) == []
    assert [word.reviewer for word in home.store.find(Correction)] == ["ben"]

    # Where nothing is written anew, the proof says what is still there.
    monkeypatch.setattr("core.store.ducklake.REWRITING", {})
    monkeypatch.setattr("core.store.ducklake.vacuum", lambda *_: None)
    left = forget(home, Wanted(reviewer="ben"))["proof"]
    assert not left["ok"]
    assert any("catalog" in each or "names" in each for each in left["found"])
