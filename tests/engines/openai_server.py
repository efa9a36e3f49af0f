"""`python openai_server.py MODEL_FOLDER`: a server with `/v1/models` and `/v1/completions`.

It prints its port. Its one model, "sums", continues prompts as the scripted engine does, so its
texts depend on the request alone. With SERVER_KEY set, it refuses requests without that key.
"""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tokenizers import Tokenizer

from workers.engines.scripted import next_step, random_of

MODEL = "sums"


def complete(body: dict, tokenizer: Tokenizer) -> dict:
    """The answer to `/completions`; a prompt is a list of ids or a text."""
    prompt = body["prompt"]
    text = (
        prompt if isinstance(prompt, str) else tokenizer.decode(prompt, skip_special_tokens=False)
    )
    return {"choices": [_choice(text, body, number) for number in range(body["n"])]}


def _choice(prompt: str, body: dict, number: int) -> dict:
    text = next_step(prompt, random_of(prompt, body["seed"], number))
    stops = [stop for stop in body["stop"] if stop in text]
    if not stops:
        return {"text": text, "finish_reason": "length"}
    stop = min(stops, key=text.index)
    return {"text": text[: text.index(stop)], "finish_reason": "stop", "stop_reason": stop}


class Handler(BaseHTTPRequestHandler):
    tokenizer: Tokenizer

    def do_GET(self) -> None:
        self._answer({"data": [{"id": MODEL}]} if self.path == "/v1/models" else None)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        known = self.path == "/v1/completions" and body["model"] == MODEL
        self._answer(complete(body, self.tokenizer) if known else None)

    def _answer(self, content: dict | None) -> None:
        key = os.environ.get("SERVER_KEY")
        refused = key and self.headers["Authorization"] != f"Bearer {key}"
        data = json.dumps(content).encode()
        self.send_response(401 if refused else 200 if content else 404)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Keep the test's output quiet."""


def main() -> None:
    tokenizer = next(Path(sys.argv[1]).rglob("tokenizer.json"))
    Handler.tokenizer = Tokenizer.from_file(str(tokenizer))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
