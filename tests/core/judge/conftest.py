"""What tests of judges behind servers share."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chat_server import ChatServer, running
from lettered import lettered_vlm
from screen_questions import Judge

from core.environments.screen.prompt import JUDGE_PROMPT
from core.judge import RemoteJudge, remote_judge
from core.settings import JudgingSettings


@pytest.fixture
def server() -> Iterator[ChatServer]:
    """A chat server that is up."""
    serving = ChatServer()
    with running(serving):
        yield serving


@pytest.fixture
def judge_at() -> Judge:
    """The judge behind a server, with settings that do not keep a test waiting."""

    def make(url: str, name: str = "openai", **settings: Any) -> RemoteJudge:
        quick = {"base_url": url, "model": "tiny", "timeout_s": 1.0, "deadline_s": 5.0, "tries": 3}
        return remote_judge(name, JUDGE_PROMPT, JudgingSettings(**{**quick, **settings}))

    return make


@pytest.fixture(autouse=True)
def short_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.judge.calls.BACKOFF_S", 0.01)


@pytest.fixture(scope="session")
def lettered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny vision-language model that answers in letters."""
    return lettered_vlm(tmp_path_factory.mktemp("lettered"))
