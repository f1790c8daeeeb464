"""A chat server on loopback, and a proxy in front of it that damages what passes through."""

import asyncio
import json
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

Request = dict[str, Any]
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]
ON_TASK = "The screen shows this work"


def letter_of_on_task(request: Request) -> str:
    """Under which letter the statement for on_task stands."""
    text = request["messages"][1]["content"][-1]["text"]
    return str(next(line[0] for line in text.splitlines() if ON_TASK in line))


def answers_of_group(request: Request) -> dict[str, str]:
    """The free answers that a question about a group shows, by their numbers."""
    lines = request["messages"][1]["content"][-1]["text"].splitlines()
    shown = [line.split(": ", 1) for line in lines if line[:1].isdigit() and ': "' in line]
    return {number: json.loads(answer) for number, answer in shown}


@dataclass
class ChatServer:
    """Thinks that a screen is on task with probability `on_task`, and `favours_first` by so much."""

    on_task: float = 0.9
    favours_first: float = 0.0
    gives_logprobs: bool = True
    refused_parameters: tuple[str, ...] = ()
    says: str | None = None
    "What it says in words, in place of a verdict."
    score_of: dict[str, float] = field(default_factory=dict)
    "What it thinks of free answers; 0 of others."
    rewrites_as: str = "Rewritten."
    "What it writes in place of any description."
    counts_tokens: bool = True
    answers_after_s: float = 0.0
    requests: list[Request] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (came := await read_message(reader)) is not None:
            head, body = came
            lines = head.decode().split("\r\n")
            self.paths.append(lines[0].split()[1])
            self.headers.append({k.lower(): v for k, v in (line.split(": ", 1) for line in lines[1:] if ": " in line)})
            request = json.loads(body)
            self.requests.append(request)
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
            await asyncio.sleep(self.answers_after_s)
            self.in_flight -= 1
            writer.write(self._answer(request))
            await writer.drain()
        writer.close()

    def _answer(self, request: Request) -> bytes:
        for name in self.refused_parameters:
            if name in request:
                error = {"message": f"Unsupported parameter: {name}", "param": name, "code": "unsupported_parameter"}
                return response(400, json.dumps({"error": error}))
        wanted = request.get("response_format", {}).get("json_schema", {}).get("name")
        if wanted == "scores":
            return self._scores(request)
        if wanted == "rewritten":
            said = json.dumps({"text": self.rewrites_as}) if self.says is None else self.says
            return self._completion({"finish_reason": "stop", "message": {"role": "assistant", "content": said}})
        letter = letter_of_on_task(request)
        on_task = min(1.0, max(0.0, self.on_task + (self.favours_first if letter == "A" else -self.favours_first)))
        a = on_task if letter == "A" else 1 - on_task
        choice: dict[str, Any] = {"finish_reason": "stop"}
        if self.says is not None:
            choice["message"] = {"role": "assistant", "content": self.says}
        elif "response_format" in request or not request.get("logprobs"):
            verdict = "A" if a >= 0.5 else "B"
            said = {"reason": f"It looks like {verdict}.", "verdict": verdict, "confidence": round(max(a, 1 - a), 6)}
            choice["message"] = {"role": "assistant", "content": json.dumps(said)}
        else:
            choice["message"] = {"role": "assistant", "content": "A" if a >= 0.5 else "B"}
        if request.get("logprobs") and self.gives_logprobs:
            first = self.says.split()[0] if self.says else choice["message"]["content"]
            letters = [("A", a), ("B", 1 - a)] if self.says is None else [(first, 1.0)]
            top = [{"token": token, "logprob": math.log(p)} for token, p in letters if p > 0]
            choice["logprobs"] = {"content": [{"token": first, "logprob": top[0]["logprob"], "top_logprobs": top}]}
        return self._completion(choice)

    def _scores(self, request: Request) -> bytes:
        scores = {number: self.score_of.get(answer, 0.0) for number, answer in answers_of_group(request).items()}
        said = json.dumps({"reason": "One is better.", "scores": scores}) if self.says is None else self.says
        return self._completion({"finish_reason": "stop", "message": {"role": "assistant", "content": said}})

    def _completion(self, choice: dict[str, Any]) -> bytes:
        completion: dict[str, Any] = {"choices": [choice]}
        if self.counts_tokens:
            completion["usage"] = {"prompt_tokens": 1000, "completion_tokens": 10}
        return response(200, json.dumps(completion))


@dataclass
class FaultProxy:
    """Does what `faults` say, one a request and the last one for ever; an empty name lets the answer pass."""

    upstream: ChatServer
    faults: list[str]
    seen: int = 0
    at: list[float] = field(default_factory=list)
    "When the requests came, in seconds."
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (came := await read_message(reader)) is not None:
                fault = self.faults[min(self.seen, len(self.faults) - 1)]
                self.seen += 1
                self.at.append(time.monotonic())
                await self._pass(fault, await self._ask_upstream(*came), writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def _ask_upstream(self, head: bytes, body: bytes) -> bytes:
        port = int(self.upstream.url.rsplit(":", 1)[1].split("/")[0])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head + body)
        answer = await read_message(reader)
        writer.close()
        return b"".join(answer or ())

    async def _pass(self, fault: str, good: bytes, writer: asyncio.StreamWriter) -> None:
        kind, _, argument = fault.partition(":")
        match kind:
            case "":
                writer.write(good)
            case "status":
                status, _, header = argument.partition(",")
                writer.write(response(int(status), '{"error": {"message": "no"}}', header))
            case "body":
                writer.write(response(200, argument))
            case "hang":
                await asyncio.sleep(60)
            case "reset":
                writer.transport.abort()
            case "cut":
                writer.write(good[: len(good) - 40])
                await writer.drain()
                writer.transport.abort()
            case "drip":
                for byte in good:
                    writer.write(bytes([byte]))
                    await writer.drain()
                    await asyncio.sleep(0.05)
            case "huge":
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
                for _ in range(1000):
                    writer.write(b" " * 1_000_000)
                    await writer.drain()
        await writer.drain()


def response(status: int, body: str, header: str = "") -> bytes:
    data = body.encode()
    extra = f"{header}\r\n" if header else ""
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n{extra}\r\n"
    return head.encode() + data


async def read_message(reader: asyncio.StreamReader) -> tuple[bytes, bytes] | None:
    """Head and body of a request or an answer, or None where the connection ends."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next((line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), b":0")
        return head, await reader.readexactly(int(length.split(b":")[1]))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


@contextmanager
def running(*servers: ChatServer | FaultProxy) -> Iterator[None]:
    """Serves in a thread until left; each server's `url` ends in /v1."""
    loop, ready, stop = asyncio.new_event_loop(), threading.Event(), asyncio.Event()

    async def main() -> None:
        for server in servers:
            listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, limit=1 << 22)
            server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1"
        ready.set()
        await stop.wait()

    def run() -> None:
        loop.run_until_complete(main())
        if tasks := asyncio.all_tasks(loop):
            for task in tasks:
                task.cancel()
            loop.run_until_complete(asyncio.wait(tasks))
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
