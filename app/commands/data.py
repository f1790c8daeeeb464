"""A picture and a person's word on it: `classify`, `correct`."""

from functools import partial
from pathlib import Path

from rich.console import Console

from app.options import SCREEN
from app.terminal import Answer
from app.wire import FeedbackAnswer, PredictionAnswer
from core import services
from core.media import read_file
from core.schema import NightshiftError
from core.services import Classifier, Workspace

__all__ = ["classify_image", "correct_prediction"]


def classify_image(home: Path | None, image: Path, work: str, session: str | None = None) -> Answer:
    """Classifies a file. Raises NightshiftError for a picture or a description that is refused."""
    ws = Workspace.open(home)
    if not work.strip():
        raise NightshiftError("--work is empty; say in a sentence or two what the person is working on")
    data = read_file(image, ws.settings.media)
    prediction = services.classify(
        ws,
        Classifier.of_champion(ws, SCREEN),
        data,
        work,
        name=image.name,
        source="command line",
        session=session,
    )
    answer = PredictionAnswer.of(prediction)
    titles = ws.environment(SCREEN).answer_titles
    return Answer(answer.model_dump(mode="json"), partial(_show_prediction, answer, titles))


def correct_prediction(home: Path | None, prediction_id: str, label: str | None, reason: str | None) -> Answer:
    """Stores a person's word on a prediction; without a label, takes the last one back."""
    ws = Workspace.open(home)
    if label is None:
        word = services.undo(ws, prediction_id)
        said = "The last word on it is taken back."
    else:
        word = services.correct(ws, prediction_id, label, reason=reason)
        said = f"Noted: {label}. The next night learns from it."
    answer = FeedbackAnswer.of(prediction_id, word)
    return Answer(answer.model_dump(mode="json"), lambda console: console.print(said))


def _show_prediction(answer: PredictionAnswer, titles: dict[str, str], console: Console) -> None:
    verdict = titles.get(str(answer.verdict), str(answer.verdict))
    who = "as a person said" if answer.from_person else f"{answer.confidence:.0%} sure"
    console.print(f"[bold]{verdict}[/bold], {who}")
    for line in answer.evidence:
        console.print(f"  {line.weight:+.2f}  {line.text}", markup=False)
    console.print(f"prediction {answer.prediction_id}, {answer.latency_ms:.0f} ms, release {answer.release[:12]}")
    console.print(f"Wrong? nightshift correct {answer.prediction_id} --label LABEL")
