"""llama.cpp's server in the process, asked over HTTP on this machine: ids are not in its own call.

`n_cmpl` computes a prompt once for all of its candidates; every slot keeps its last prompt.
"""

import json
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import xllamacpp

from benchmarks.engine.jobs import Generate, Job, Request
from benchmarks.engine.workload import TokenIds

# Kept prompts beside the running sequences, so that the next level finds its own.
SPARE = 2


def serve(job: Job, measure: Callable[[Generate], None]) -> None:
    server = xllamacpp.Server(_settings(job))
    url = f"{server.listening_address}/completion"
    with ThreadPoolExecutor(job.most_sequences) as threads:

        def generate(request: Request) -> list[TokenIds]:
            asked = [_body(request, prompt) for prompt in request.prompts]
            answers = threads.map(lambda body: _ask(url, body), asked)
            return [ids for answer in answers for ids in answer]

        measure(generate)


def _settings(job: Job) -> Any:
    settings = xllamacpp.CommonParams()
    settings.model.path = job.gguf
    settings.n_gpu_layers = 0
    settings.n_parallel = job.most_sequences
    settings.kv_unified = True
    settings.n_ctx = SPARE * job.most_sequences * (job.sequence_tokens + 8)
    settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = job.threads
    settings.verbosity = 0
    return settings


def _body(request: Request, prompt: TokenIds) -> dict[str, Any]:
    return {
        "prompt": prompt,
        "n_predict": request.new_tokens,
        "n_cmpl": request.candidates,
        "temperature": request.temperature,
        "samplers": ["temperature"],
        "ignore_eos": True,
        "return_tokens": True,
    }


def _ask(url: str, body: dict[str, Any]) -> list[TokenIds]:
    content = json.dumps(body).encode()
    asked = urllib.request.Request(url, content, {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked) as reply:
        answer = json.load(reply)
    choices = answer if isinstance(answer, list) else [answer]
    return [choice["tokens"] for choice in sorted(choices, key=lambda choice: choice["index"])]
