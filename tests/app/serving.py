"""What tests of the doors share: pictures with words on them, and how they are sent."""

import io

from PIL import Image, ImageDraw, ImageFont
from starlette.testclient import TestClient

from core.schema import Media, Prediction
from core.services import Workspace

HOST, PORT = "127.0.0.1", 7860
ADDRESS = f"http://{HOST}:{PORT}"
WORK = "Write the quarterly sales report."


def picture(words: str = "Quarterly sales report", size: tuple[int, int] = (420, 120)) -> bytes:
    """A PNG with a line of text on it: quick to read, and another picture for other words."""
    image = Image.new("RGB", size, "white")
    ImageDraw.Draw(image).text((20, 40), words, fill="black", font=ImageFont.load_default(26))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def send(client: TestClient, data: bytes, work: str = WORK, name: str = "screen.png"):
    """Sends a picture as a form."""
    return client.post("/v1/screen/predictions", files={"image": (name, data)}, data={"work": work})


def said(client: TestClient, words: str = "Quarterly sales report", work: str = WORK) -> dict:
    """The answer to a picture with these words."""
    response = send(client, picture(words), work)
    assert response.status_code == 200, response.text
    return response.json()


def stored(ws: Workspace) -> tuple[int, int]:
    """How many pictures and predictions there are."""
    return ws.store.count(Media), ws.store.count(Prediction)
