"""What `nightshift data` says of versions: what entered and left, and that one can be made again."""

import csv
import shutil
from pathlib import Path

import pytest
from PIL import Image

from core.schema import ChosenBy, DatasetVersion, NightshiftError, Run, StageResult, new_id
from core.services import (
    Workspace,
    compare_versions,
    find_version,
    import_folder,
    night,
    version_card,
    version_facts,
    versions,
)
from core.services.feedback import label_example


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, list[str]]:
    """A home in which two nights have fixed what they learn from; a word was changed and one was added between."""
    scratch = tmp_path_factory.mktemp("versions")
    ws, folder = Workspace.open(scratch / "home"), scratch / "labelled"
    (folder / "images").mkdir(parents=True)
    with (folder / "tasks.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["file", "task_description", "label"])
        for number in range(12):
            image = Image.effect_mandelbrot((96, 64), (-2 + number / 9, -1, 1, 1 - number / 11), 60)
            image.convert("RGB").save(folder / "images" / f"{number}.png")
            table.writerow(
                [f"{number}.png", f"Write the report of week {number}.", ("on_task", "off_task")[number % 2]]
            )
    import_folder(ws, "screen", folder)
    made = [_fixed(ws, seed=1)]
    first = ws.store.labels("screen")[0]
    turned = {"on_task": "off_task", "off_task": "on_task"}[str(first.answer)]
    label_example(ws, "screen", first.example, turned, chosen_by=ChosenBy.VOLUNTEERED)
    with (folder / "tasks.csv").open("a", newline="", encoding="utf-8") as file:
        csv.writer(file).writerow(["3.png", "Plan the trip.", "off_task"])
    import_folder(ws, "screen", folder)
    return ws, [*made, _fixed(ws, seed=2)]


def _fixed(ws: Workspace, seed: int) -> str:
    run = night.begin(ws, "screen", seed=seed)
    with ws.store.lease(night.lease_name("screen"), "test", 600) as lease:
        return str(night.ingest(ws, run, lease).result["dataset_version"])


def test_versions_are_told_newest_first_with_what_changed(lived: tuple[Workspace, list[str]]) -> None:
    ws, made = lived
    newest, oldest = versions(ws, "screen")
    assert [oldest.id, newest.id] == made
    assert (oldest.entered, oldest.left, sum(oldest.counts.values())) == (12, 0, 12)
    assert (newest.entered, newest.left, newest.relabelled, sum(newest.counts.values())) == (1, 0, 1, 13)
    assert [len(each.nights) for each in (newest, oldest)] == [1, 1]


def test_a_difference_names_the_examples(lived: tuple[Workspace, list[str]]) -> None:
    ws, (one, other) = lived
    forth, back = compare_versions(ws, "screen", one, other), compare_versions(ws, "screen", other[:10], one[:10])
    assert (len(forth.entered), forth.left, len(forth.relabelled), forth.moved) == (1, [], 1, [])
    assert (back.left, back.entered, back.relabelled) == (forth.entered, [], forth.relabelled)


def test_an_old_version_is_made_again_with_the_same_id_from_words_that_were_changed_since(
    lived: tuple[Workspace, list[str]],
) -> None:
    ws, (one, other) = lived
    assert version_facts(ws, "screen", one).remade is True
    assert version_facts(ws, "screen", other).remade is True
    assert version_facts(ws, "screen", "latest").answers == {"off_task": 8, "on_task": 5}


def test_a_version_that_no_night_made_cannot_be_made_again(lived: tuple[Workspace, list[str]], tmp_path: Path) -> None:
    ws = Workspace.open(Path(shutil.copytree(lived[0].home, tmp_path / "home")))
    strange = DatasetVersion.make("screen", {"train": ("nothing=on_task",)})
    ws.store.add(strange)
    facts = version_facts(ws, "screen", strange.id)
    assert (facts.remade, facts.gone) == (None, 1)


def test_what_entered_while_a_night_trained_is_no_version(lived: tuple[Workspace, list[str]], tmp_path: Path) -> None:
    ws = Workspace.open(Path(shutil.copytree(lived[0].home, tmp_path / "home")))
    entered = DatasetVersion.make("screen", {"train": ("nothing=on_task",), "left": ()})
    ws.store.add(entered)
    assert [each.id for each in versions(ws, "screen")] == lived[1][::-1]
    assert find_version(ws, "screen", "latest").id == lived[1][-1]


def test_a_version_of_a_training_on_a_folder_follows_from_no_words(
    lived: tuple[Workspace, list[str]], tmp_path: Path
) -> None:
    ws = Workspace.open(Path(shutil.copytree(lived[0].home, tmp_path / "home")))
    taught = DatasetVersion.make("screen", {"train": ("nothing=on_task",), "golden": ()})
    run = Run(id=new_id(), environment="screen", seed=0, config={"method": "sft"})
    ingested = {"dataset_version": taught.id}
    ws.store.add(taught, run, StageResult(id=new_id(), run=run.id, stage="ingest", result=ingested, seconds=0.0))
    assert version_facts(ws, "screen", taught.id).remade is None


def test_what_is_not_one_version_is_refused(lived: tuple[Workspace, list[str]]) -> None:
    ws, _ = lived
    with pytest.raises(NightshiftError, match="several versions begin with ''; there are 2"):
        find_version(ws, "screen", "")
    with pytest.raises(NightshiftError, match="no version begins with 'xyz'"):
        find_version(ws, "screen", "xyz")


def test_a_card_counts_what_is_in_it(lived: tuple[Workspace, list[str]]) -> None:
    ws, (one, _) = lived
    card = version_card(ws, find_version(ws, "screen", one), "parquet")
    assert "12 questions" in card and "about 12 pictures" in card
    assert "| off_task | 6 |" in card
    assert "path: data/train-*.parquet" in card
