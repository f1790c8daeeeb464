"""A chat server that answers every question after 200 ms, as a process of its own; it needs nothing but Python.

Prints its port. `POST` is a chat completion whose first token is the letter A; `GET` says how many there were.
"""

import asyncio
import json
import sys

ANSWERS_AFTER_S = 0.2

TOKENS = [{"token": "A", "logprob": -0.1}, {"token": "B", "logprob": -2.4}]
COMPLETION = {
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": "A"},
            "logprobs": {"content": [{"token": "A", "logprob": -0.1, "top_logprobs": TOKENS}]},
        }
    ],
    "usage": {"prompt_tokens": 1000, "completion_tokens": 1},
}


class Server:
    """Counts the questions it has answered."""

    def __init__(self) -> None:
        self.calls = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Requests of one connection, one after the other."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                is_question = head.startswith("post")
                if "content-length:" in head:
                    await reader.readexactly(int(head.split("content-length:")[1].split("\r\n")[0]))
                if is_question:
                    self.calls += 1
                    await asyncio.sleep(ANSWERS_AFTER_S)
                body = json.dumps(COMPLETION if is_question else {"calls": self.calls}).encode()
                head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
                writer.write(head.encode() + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


async def main() -> None:
    """Serves on a free port of loopback until standard input ends."""
    server = await asyncio.start_server(Server().serve, "127.0.0.1", 0, limit=1 << 20)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
