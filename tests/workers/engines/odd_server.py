"""A real HTTP server that answers `/completions` as the test says, in a thread of this process."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODEL = "policy"
TEXT = "\n# Step 1\nx = 3 + 4\n"
STOP = "<end_of_step>"


@dataclass(frozen=True)
class Answer:
    """What is sent back. `cut`: the connection is closed after so many bytes of the content."""

    status: int = 200
    content: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None

    @property
    def body(self) -> bytes:
        content = self.content
        return content if isinstance(content, bytes) else json.dumps(content).encode()


# Given the body of the request and its number, from 0.
Behaviour = Callable[[dict[str, Any], int], Answer]


def choice(**changes: Any) -> dict[str, Any]:
    return {"text": TEXT, "finish_reason": "stop", "stop_reason": STOP, **changes}


def choices(count: int, **changes: Any) -> Answer:
    return Answer(content={"choices": [choice(**changes) for _ in range(count)]})


class OddServer:
    """The address of a running server, and the bodies it was sent."""

    def __init__(self, behaviour: Behaviour, models: Answer) -> None:
        self.requests: list[dict[str, Any]] = []
        self.url = ""
        self._behaviour = behaviour
        self.models = models

    def completion(self, body: dict[str, Any]) -> Answer:
        self.requests.append(body)
        return self._behaviour(body, len(self.requests) - 1)


LISTED = Answer(content={"object": "list", "data": [{"id": MODEL}]})


@contextmanager
def odd_server(behaviour: Behaviour, models: Answer = LISTED) -> Iterator[OddServer]:
    server = OddServer(behaviour, models)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(server.models if self.path.endswith("/models") else Answer(404))

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            self._send(server.completion(json.loads(self.rfile.read(length))))

        def _send(self, answer: Answer) -> None:
            self.close_connection = answer.cut is not None
            if answer.cut == 0:
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body[: answer.cut])

        def log_message(self, *_: object) -> None:
            """Keep the test's output quiet."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, args=(0.01,))
    thread.start()
    server.url = f"http://127.0.0.1:{http.server_port}/v1"
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
