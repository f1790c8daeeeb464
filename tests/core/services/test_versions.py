"""What `nightshift data` says of versions: what entered and left, and that one can be made again."""

import csv
import shutil
from pathlib import Path

import pytest
from lakes import new_lake
from PIL import Image

from core.schema import ChosenBy, Correction, DatasetVersion, Example, NightshiftError, Run, StageResult, new_id
from core.services import (
    Wanted,
    Workspace,
    compare_versions,
    copy_store,
    export_version,
    find_version,
    forget,
    import_folder,
    night,
    version_card,
    version_facts,
    versions,
)
from core.services.feedback import label_example, take_back
from core.services.versions import bootstrapped_version


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
    assert (facts.remade, facts.gone, facts.erased) == (None, 1, 0)


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


def asked(ws: Workspace, ask: str) -> str:
    """An example about a picture that is there, asked something new."""
    known = ws.store.find(Example)[-1]
    example = ws.environment("screen").example(known.media, ask, cluster=known.cluster)
    ws.store.add(example)
    return example.id


def test_the_latest_version_is_what_the_last_night_learnt_from_also_where_that_was_known(
    lived: tuple[Workspace, list[str]], tmp_path: Path
) -> None:
    ws = Workspace.open(Path(shutil.copytree(lived[0].home, tmp_path / "home")))
    before = lived[1][-1]
    example = asked(ws, "Book the hotel.")
    word = label_example(ws, "screen", example, "on_task", reviewer="ann", chosen_by=ChosenBy.VOLUNTEERED)
    with_it = _fixed(ws, seed=3)
    take_back(ws, word.id, reviewer="ann")
    assert _fixed(ws, seed=4) == before

    latest = find_version(ws, "screen", "latest")
    assert latest.id == before
    assert example not in latest.labels
    newest, second, _ = versions(ws, "screen")
    assert (newest.id, newest.entered, newest.left, len(newest.nights)) == (before, 0, 1, 2)
    assert (second.id, second.entered, second.left, len(second.nights)) == (with_it, 1, 0, 1)
    export_version(ws, "screen", "latest", "folder", tmp_path / "out")
    assert "Book the hotel." not in (tmp_path / "out" / "tasks.csv").read_text()


def test_a_night_is_compared_with_the_night_before_whatever_was_made_between(
    lived: tuple[Workspace, list[str]], tmp_path: Path
) -> None:
    ws = Workspace.open(Path(shutil.copytree(lived[0].home, tmp_path / "home")))
    made = DatasetVersion.make("screen", {"judged/1": ("nothing=on_task",)})
    run = Run(id=new_id(), environment="screen", seed=0, config={}, trigger="bootstrap")
    selected = {"dataset_version": made.id}
    ws.store.add(made, run, StageResult(id=new_id(), run=run.id, stage="select", result=selected, seconds=0.0))
    label_example(ws, "screen", asked(ws, "Book the hotel."), "on_task", chosen_by=ChosenBy.VOLUNTEERED)
    after = _fixed(ws, seed=3)

    newest, bootstrapped, *_ = versions(ws, "screen")
    assert (newest.id, newest.entered, newest.left) == (after, 1, 0)
    assert (bootstrapped.id, bootstrapped.entered, bootstrapped.left) == (made.id, 1, 0)
    assert find_version(ws, "screen", "latest").id == after
    assert bootstrapped_version(ws, "screen", "latest").id == made.id


@pytest.fixture(params=["file", "lake"])
def kept(request: pytest.FixtureRequest, lived: tuple[Workspace, list[str]], tmp_path: Path) -> Workspace:
    """The same home, on each of the engines."""
    home = Path(shutil.copytree(lived[0].home, tmp_path / "home"))
    if request.param == "file":
        return Workspace.open(home)
    url = new_lake(request.getfixturevalue("postgres"), tmp_path / "data")
    copy_store(Workspace.open(home).settings.store_url, url, home=home)
    (home / "nightshift.duckdb").unlink()
    return Workspace.open(home, store=url)


def test_tombstones_stand_for_erased_labels_when_a_version_is_made_again(
    kept: Workspace, lived: tuple[Workspace, list[str]]
) -> None:
    """Erased are a screen, and the words of a person who had turned one label and kept another out by contradicting."""
    ws = kept
    turned, contradicted, _, erased = ws.store.labels("screen")[:4]
    other = {"on_task": "off_task", "off_task": "on_task"}
    for word, reviewer in ((turned, "ann"), (contradicted, "ben"), (contradicted, "ann")):
        answer = str(word.answer) if reviewer == "ben" else other[str(word.answer)]
        label_example(ws, "screen", word.example, answer, reviewer=reviewer, chosen_by=ChosenBy.VOLUNTEERED)
    third = _fixed(ws, seed=3)
    assert contradicted.example not in find_version(ws, "screen", third).labels
    (example,) = ws.store.get_many(Example, [erased.example])

    assert forget(ws, Wanted(screen=example.media[0]))["proof"]["ok"]
    assert forget(ws, Wanted(reviewer="ann"))["proof"]["ok"]

    told = [version_facts(ws, "screen", version) for version in (*lived[1], third)]
    assert [each.remade for each in told] == [True, True, True]
    assert [each.erased for each in told] == [1, 1, 2]
    assert [each.gone for each in told] == [0, 0, 0]


def test_a_word_that_is_lost_is_not_taken_for_an_erased_one(lived: tuple[Workspace, list[str]], tmp_path: Path) -> None:
    ws = Workspace.open(Path(shutil.copytree(lived[0].home, tmp_path / "home")))
    erased, lost = ws.store.find(Correction)[:2]
    (example,) = ws.store.get_many(Example, [erased.example])
    forget(ws, Wanted(screen=example.media[0]))
    assert version_facts(ws, "screen", lived[1][0]).remade is True
    ws.store.erase({Correction: {"id": [lost.id]}})
    assert version_facts(ws, "screen", lived[1][0]).remade is False


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
