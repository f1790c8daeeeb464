"""Label Studio: tasks with annotations as its JSON has them, the labelling interface, and the pictures beside them.

Serve the exported folder to Label Studio as local files, with the folder as their root; then the tasks find their
pictures. What it exports as JSON comes back the same way, pictures included.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import quoteattr

from core.schema import NightshiftError
from core.services.exchange.base import Incoming, Outgoing, Picture, Rows, single
from core.services.folders import read_within

__all__ = ["LabelStudio"]

WHAT = "a task of Label Studio"
TASKS, INTERFACE = "tasks.json", "label_config.xml"
SERVED = "/data/local-files/?d=images/"


class LabelStudio:
    """`tasks.json`, `label_config.xml`, `images/`."""

    name = "label-studio"

    def write(self, folder: Path, rows: Rows, tell: Callable[[int], None]) -> None:
        images = folder / "images"
        images.mkdir()
        tasks = []
        for done, (row, pictures) in enumerate(rows, start=1):
            picture = single(row, pictures, WHAT)
            (images / picture.name).write_bytes(picture.read())
            tasks.append(_task(done, row, picture))
            tell(done)
        answers = sorted({answer for row, _ in rows for answer in row.answers})
        (folder / TASKS).write_text(json.dumps(tasks, ensure_ascii=False, indent=1), encoding="utf-8")
        (folder / INTERFACE).write_text(_interface(answers), encoding="utf-8")

    def recognises(self, path: Path) -> bool:
        return path.suffix == ".json" or (path / TASKS).is_file()

    def read(self, path: Path) -> Iterator[Incoming]:
        file = path / TASKS if path.is_dir() else path
        try:
            tasks = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise NightshiftError(f"{file} is not JSON: {error}") from error
        if not isinstance(tasks, list):
            raise NightshiftError(f"{file} is not a list of tasks")
        named: dict[str, str] = {}
        for task in tasks:
            try:
                said = _said(task)
                if said is not None:
                    name = _picture_name(served := str(task["data"]["image"]))
                    if named.setdefault(name, served) != served:
                        raise NightshiftError(
                            f"{file} has two pictures called {name}, {named[name]} and {served}; give each a name of "
                            "its own in images/"
                        )
                    read = partial(read_within, file.parent / "images", name)
                    yield Incoming.about(name, read, str(task["data"]["ask"]), *said)
            except (KeyError, TypeError, IndexError, AttributeError) as error:
                where = task.get("id") if isinstance(task, dict) else task
                raise NightshiftError(f"task {where} of {file} is not as Label Studio writes one: {error}") from error


def _task(number: int, row: Outgoing, picture: Picture) -> dict[str, Any]:
    said = [{"id": f"{row.example[:10]}v", **_OF_CHOICES, "value": {"choices": [row.label]}}]
    if row.reason:
        said.append({"id": f"{row.example[:10]}r", **_OF_TEXT, "value": {"text": [row.reason]}})
    kept = row.model_dump(exclude={"label", "reason"}, mode="json")
    return {
        "id": number,
        "data": {**kept, "image": f"{SERVED}{picture.name}"},
        "annotations": [{"result": said, "was_cancelled": False, "ground_truth": row.split == "golden"}],
    }


_OF_CHOICES = {"from_name": "verdict", "to_name": "image", "type": "choices"}
_OF_TEXT = {"from_name": "reason", "to_name": "image", "type": "textarea"}


def _interface(answers: Sequence[str]) -> str:
    choices = "\n".join(f"    <Choice value={quoteattr(answer)}/>" for answer in answers)
    return f"""<View>
  <Header value="$ask"/>
  <Image name="image" value="$image"/>
  <Choices name="verdict" toName="image" choice="single-radio" required="true">
{choices}
  </Choices>
  <TextArea name="reason" toName="image" placeholder="Why?"/>
</View>
"""


def _said(task: dict[str, Any]) -> tuple[str, str | None] | None:
    """Verdict and reason of the newest annotation that was not cancelled; None where nobody has annotated."""
    annotations = [each for each in task.get("annotations") or [] if not each.get("was_cancelled")]
    if not annotations:
        return None
    newest = max(annotations, key=lambda each: str(each.get("updated_at") or each.get("created_at") or ""))
    of = {result["from_name"]: result["value"] for result in newest["result"]}
    if "verdict" not in of:
        return None
    reasons = of.get("reason", {}).get("text") or [None]
    return str(of["verdict"]["choices"][0]), reasons[0] if isinstance(reasons, list) else str(reasons)


def _picture_name(served: str) -> str:
    """The file that a task's picture is kept in: the end of a path, of a URL, or of what a local-files URL asks for."""
    parts = urlsplit(served)
    asked = parse_qs(parts.query).get("d")
    return (asked[0] if asked else parts.path).rsplit("/", 1)[-1]
