from pathlib import Path

import pytest
from releases import make_release

from core.access import audit_log
from core.environments.group_qc.drawing import DrawnGroup
from core.environments.group_qc.summaries import STAGE_A, Summariser, read_summaries
from core.schema import Example, Media, NightshiftError, Prediction
from core.services import Workspace, compare_releases, correct, evaluate_judge, undo
from core.services.groups import (
    Inspector,
    correct_lines,
    evaluate_groups,
    group_pairs,
    import_groups,
    inspect_day,
    inspect_group,
)
from core.services.measuring import FolderLibrary


def test_the_untrained_release_has_both_stages_and_other_environments_are_not_installed(ws: Workspace) -> None:
    champion = ws.registry.champion("group_qc")
    assert champion is not None
    assert set(champion.checkpoints) == {"policy", "summaries"}
    assert ws.registry.champion("screen") is None


def test_a_group_is_inspected_and_its_verdict_and_reason_are_stored(
    ws: Workspace, inspector: Inspector, folder: Path, drawn: list[DrawnGroup]
) -> None:
    found = inspect_group(inspector, folder / drawn[0].name, "air_baffle")
    assert found.error is None
    assert found.summaries == drawn[0].summaries
    (stored,) = ws.store.find(Prediction, environment="group_qc")
    assert stored == found.prediction
    assert stored.answer in ("通过", "不通过")
    assert stored.reason
    assert "\n" not in stored.reason
    assert set(found.told()) >= {"verdict", "reason", "summaries", "evidence", "prediction"}


def test_a_photo_that_is_none_stops_its_group_and_the_rest_of_the_day_goes_on(
    inspector: Inspector, folder: Path, drawn: list[DrawnGroup]
) -> None:
    bad = sorted(group.name for group in drawn)[0]
    (folder / bad / "1.png").write_bytes(b"no picture")
    (folder / "holiday.png").write_bytes(b"no picture either")
    groups, there = inspect_day(inspector, folder, "air_baffle")
    found = {each.group: each.error for each in groups}
    assert set(found) == {group.name for group in drawn}
    assert found[bad] is not None
    assert found[bad].startswith(f"group {bad}: 1.png")  # type: ignore[union-attr]
    assert [why for why in found.values() if why is None] == [None, None]
    assert [path.name for path, _ in there.left_out] == ["holiday.png"]


def test_a_day_that_is_inspected_again_does_not_look_at_photos_again(
    inspector: Inspector, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "lines.jsonl"
    first = [each.summaries for each in inspect_day(inspector, folder, "air_baffle", out)[0]]
    monkeypatch.setattr(inspector.summariser, "write", None)
    assert [each.summaries for each in inspect_day(inspector, folder, "air_baffle", out)[0]] == first
    assert [each.summaries for each in read_summaries(out)] == first


def test_a_corrected_line_answers_anew_stands_the_next_time_and_is_kept_for_stage_a(
    ws: Workspace, inspector: Inspector, folder: Path, drawn: list[DrawnGroup]
) -> None:
    place = folder / drawn[0].name
    found = inspect_group(inspector, place, "air_baffle")
    assert found.prediction is not None
    words, anew = correct_lines(inspector, found.prediction, {1: "正面，挡风板少一块，标签清晰"})
    assert anew.summaries == ("正面，挡风板少一块，标签清晰", *drawn[0].summaries[1:])
    assert inspect_group(inspector, place, "air_baffle").summaries == anew.summaries
    (label,) = ws.store.labels(STAGE_A)
    assert (label.answer, (label.correction,)) == ("正面，挡风板少一块，标签清晰", words)
    assert [line.detail for line in audit_log(ws, action="correction.given")] == ["图片_1"]
    said = ws.store.count(Prediction)
    with pytest.raises(NightshiftError, match="not a line of Chinese"):
        correct_lines(inspector, found.prediction, {1: "正面，挡风板少一块", 2: "one is missing"})
    with pytest.raises(NightshiftError, match="there is no 图片_9"):
        correct_lines(inspector, found.prediction, {1: "正面，挡风板少一块", 9: "正面，挡风板少一块"})
    assert (ws.store.labels(STAGE_A), ws.store.count(Prediction)) == ([label], said), "all lines or none"


def test_a_corrected_verdict_answers_as_the_person_said_until_it_is_undone(
    ws: Workspace, inspector: Inspector, folder: Path, drawn: list[DrawnGroup]
) -> None:
    place = folder / drawn[0].name
    said = inspect_group(inspector, place, "air_baffle").prediction
    assert said is not None
    other = "通过" if said.answer == "不通过" else "不通过"
    correct(ws, said.id, other, reason="图片_1挡风板翘起")
    again = inspect_group(inspector, place, "air_baffle").prediction
    assert again is not None
    assert (again.answer, again.reason, again.from_person) == (other, "图片_1挡风板翘起", True)
    (example,) = ws.store.get_many(Example, [again.example])
    assert [each.media for each in again.evidence] == [example.media[0]], "what the person's reason rests on"
    undo(ws, said.id)
    last = inspect_group(inspector, place, "air_baffle").prediction
    assert last is not None
    assert (last.answer, last.from_person) == (said.answer, False)
    with pytest.raises(NightshiftError, match="通过, 不通过"):
        correct(ws, said.id, "pass")


def test_labelled_groups_are_imported_once(ws: Workspace, inspector: Inspector, folder: Path) -> None:
    with (folder / "groups.csv").open("a") as file:
        file.write("nowhere,air_baffle,通过,\n../drawn,air_baffle,通过,\n")
    first = import_groups(ws, inspector, folder)
    assert (first.groups, [each.file for each in first.rejected]) == (3, ["nowhere", "../drawn"])
    import_groups(ws, inspector, folder)
    labels = ws.store.labels("group_qc")
    assert len(labels) == 3
    assert all(label.reason for label in labels)


def test_groups_of_one_site_and_date_share_a_cluster(
    ws: Workspace, inspector: Inspector, folder: Path, drawn: list[DrawnGroup]
) -> None:
    import_groups(ws, inspector, folder)
    labels = ws.store.labels("group_qc")
    clusters = {example.cluster for example in ws.store.get_many(Example, [label.example for label in labels])}
    assert clusters == {f"{group.site}/{group.date}" for group in drawn}


def test_evaluating_says_both_errors_by_mission_and_stores_nothing(ws: Workspace, folder: Path) -> None:
    figures = evaluate_groups(ws, folder)
    assert set(figures) == {
        "n", "accuracy", "false_pass_rate", "false_fail_rate", "format_rate", "stopped", "by_mission",
    }  # fmt: skip
    assert (figures["n"], list(figures["by_mission"])) == (3, ["air_baffle"])
    assert ws.store.count(Media) == ws.store.count(Prediction) == 0


def test_a_labelled_folder_of_groups_is_asked_of_a_judge_and_of_two_releases(
    ws: Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Summariser, "write", lambda *asked: [("正面，挡风板齐全，标签清晰", None)] * len(asked[-1]))
    judged = evaluate_judge(ws, "group_qc", folder, "reading", pairs_of=group_pairs)
    assert (judged.figures["n"], judged.figures["scored"]) == (3, 0)
    assert list(judged.unscored) == ["a verdict alone gives no reason to judge"]
    other = make_release(ws, 2.0, "group_qc")
    found = compare_releases(ws, "group_qc", "champion", other.id, dataset=folder, pairs_of=group_pairs)
    assert (found["n"], found["golden"], found["changed"]) == (3, 0, [])
    assert ws.store.count(Media) == ws.store.count(Prediction) == 0
    with pytest.raises(NightshiftError, match=r"has no groups\.csv"):
        group_pairs(ws, "group_qc", folder.parent, FolderLibrary(ws.cache, ws.settings.media))


def test_an_unknown_mission_and_a_release_without_stage_a_are_named(ws: Workspace, inspector: Inspector) -> None:
    with pytest.raises(NightshiftError, match="no mission 'doors'"):
        inspect_group(inspector, ws.home, "doors")
    champion = ws.registry.champion("group_qc")
    assert champion is not None
    alone = ws.registry.release("group_qc", {"policy": champion.checkpoints["policy"]})
    with pytest.raises(NightshiftError, match="has no stage A"):
        Inspector(ws, alone)
