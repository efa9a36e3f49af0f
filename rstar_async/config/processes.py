"""Which processes run on one machine, and how to monitor them."""

from typing import Literal

import msgspec

from rstar_async.config.base import (
    Count,
    MebibytesOrNone,
    Port,
    PortOrNone,
    Processes,
    ProcessesOrNone,
    Seconds,
    Section,
)

Waiver = Literal["no-landlock", "no-listener"]


class WorkersConfig(Section):
    """Processes of `rstar run` on one machine."""

    # What serves the policy: "local" (transformers in the worker), "sglang" (see [sglang]),
    # "openai" (see [openai]), "scripted" (follows a script, needs no weights), or an engine of a
    # package outside.
    engine: str = "local"
    # What serves the PPM; empty: the same engine.
    reward_engine: str = ""
    # More options for the workers of `engine`, by their names on the worker's command line.
    options: dict[str, str | int | float | bool] = msgspec.field(default_factory=dict)
    # Processes that serve the policy.
    inference: Processes = 1
    # Processes that serve the PPM; 0 only without a PPM.
    reward: ProcessesOrNone = 1
    # Processes that run programs, each many at once.
    executor: Processes = 1
    # Programs run at once by one executor; 0 means one per core.
    slots: ProcessesOrNone = 0
    # Protections that an executor may lack where the machine does not have them: docs/security.md.
    allow: tuple[Waiver, ...] = ()
    # Rows decoded at once by one inference process.
    rows: Count = 128
    # Memory of one inference process for its prefix cache.
    cache_mib: MebibytesOrNone = 1024
    # Processes that search; several share the problems of a run and need a database on PostgreSQL.
    # `search.in_flight` then counts for each.
    coordinators: Processes = 1
    # One of several coordinators that is silent for so long is taken for dead, and the others take
    # over its problems.
    lease_seconds: Seconds = 30.0
    # Threads of one inference or reward process; they share the cores with executors.
    threads: Processes = 1


class SGLangConfig(Section):
    """The servers behind `workers.engine = "sglang"` (docs/engines.md)."""

    # Base URLs of servers that run already, one worker for each; empty: each of `workers.inference`
    # and `workers.reward` starts its own.
    policy_urls: tuple[str, ...] = ()
    # The same for servers of the PPM.
    ppm_urls: tuple[str, ...] = ()
    # The program that starts one, with {model} and {port}; empty: the sglang installed here.
    launch: str = ""
    # Further arguments of a policy's server. The shares of policy and PPM are of one GPU and leave
    # a fifth of it to CUDA graphs.
    policy_arguments: tuple[str, ...] = ("--mem-fraction-static", "0.5")
    # Further arguments of a PPM's server.
    ppm_arguments: tuple[str, ...] = ("--mem-fraction-static", "0.3")
    # Servers that are started listen on this port and the next ones, on this machine only.
    port: Port = 31000
    # One GPU for all: servers release its memory while the trainer works. Servers that run already
    # must have been started with --enable-memory-saver.
    share_device: bool = False


class OpenAIConfig(Section):
    """The server behind `workers.engine = "openai"` (docs/engines.md)."""

    # The address before `/completions`, such as "http://host:8000/v1".
    url: str = ""
    # The name of the model on that server; empty: the name of the model version.
    model: str = ""
    # The environment variable that holds the server's key, if it wants one. The key is not stored.
    api_key_env: str = "OPENAI_API_KEY"
    # "ids" sends prompts as token ids, so the server must have the same tokenizer; "text" is for
    # servers that accept text only.
    prompts: Literal["ids", "text"] = "ids"


class ObserveConfig(Section):
    """Metrics and logs of the processes of `rstar run`; they do not change what these compute."""

    # First of the loopback ports for Prometheus metrics, one for each process; HOME/metrics.json
    # lists them as targets for Prometheus. 0: none.
    metrics_port: PortOrNone = 0
    # Format of log lines: text, or one JSON object each.
    logs: Literal["text", "json"] = "text"
