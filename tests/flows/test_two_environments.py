"""Nights of two environments that are due at the same hour: what is over is erased, and both go on."""

import logging
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from served_homes import smallest, write_settings

from core.schema import Erasure, Media, StageResult, now
from core.store import open_store
from flows.nightly import nightly

BOTH = ("screen", "group_qc")
AFTER_RETENTION = (
    "look_at_inbox", "ingest", "make_variants", "judge", "train", "evaluate", "gate", "look_at_frozen", "promote",
    "report", "tend",
)  # fmt: skip


def test_the_first_of_two_nights_erases_and_the_other_begins_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_settings(tmp_path, {**smallest("group_qc", tmp_path), "environments": list(BOTH)})
    store = open_store(f"duckdb:///{tmp_path / 'nightshift.duckdb'}")
    old = {"width": 8, "height": 8, "phash": "0" * 16, "source": "upload", "at": now() - timedelta(days=400)}
    store.add(Media(id="a" * 64, blob=f"aa/{'a' * 64}.png", **old))
    begun, at_work = threading.Barrier(2), threading.Barrier(2)
    loading = threading.Lock()  # two nights are two processes, of which each loads its models
    flow = sys.modules["flows.nightly"]
    begin, let_go = flow.begin.fn, flow.let_go.fn

    def begin_beside_the_other_if_that_may_be(*asked: object) -> object:
        with loading:
            night = begin(*asked)
        with suppress(threading.BrokenBarrierError):
            begun.wait(3)
        return night

    monkeypatch.setattr(flow, "get_run_logger", lambda: logging.getLogger("night"))
    monkeypatch.setattr(flow, "begin", begin_beside_the_other_if_that_may_be)
    monkeypatch.setattr(flow, "let_go", let_go)
    for stage in AFTER_RETENTION:
        monkeypatch.setattr(flow, stage, lambda *_: None)
    monkeypatch.setattr(flow, "ingest", lambda *_: at_work.wait(120))
    with ThreadPoolExecutor(2) as nights:
        for night in [nights.submit(nightly.fn, each, home=str(tmp_path)) for each in BOTH]:
            night.result()

    told = [done.result for done in store.find(StageResult) if done.stage == "retention"]
    assert sorted(told, key=str) == [{"erased": 0}, {"erased": 1}]
    assert store.find(Media) == [] and all(each.done_at for each in store.find(Erasure))
