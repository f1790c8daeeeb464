from collections.abc import Iterator
from pathlib import Path

import pytest
from receiving import SECRET, Receiver, receiving

from core.store import Store, open_store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(f"duckdb:///{tmp_path / 'nightshift.duckdb'}")


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setenv("NIGHTSHIFT_WEBHOOK_SECRET", SECRET)
    with receiving() as receiver:
        yield receiver
