"""Which processes do the work on one machine, and how they can be watched."""

from typing import Literal

import msgspec

from rstar_async.config.base import Section

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
    inference: int = 1
    reward: int = 1
    executor: int = 1
    # Programs run at once by one executor; 0 means one per core.
    slots: int = 0
    # Locks that an executor may do without where the machine lacks them; see docs/security.md.
    allow: tuple[Waiver, ...] = ()
    # Rows decoded at once, and memory for the prefix cache.
    rows: int = 128
    cache_mib: int = 1024
    # Threads of one inference or reward process; they share the cores with executors.
    threads: int = 1


class SGLangConfig(Section):
    """The servers behind `workers.engine = "sglang"` (docs/engines.md)."""

    # Base URLs of servers that run already, one worker for each; empty: each of `workers.inference`
    # and `workers.reward` starts its own.
    policy_urls: tuple[str, ...] = ()
    ppm_urls: tuple[str, ...] = ()
    # The program that starts one, with {model} and {port}; empty: the sglang installed here.
    launch: str = ""
    # What it gets besides. The two shares are of one card and leave a fifth to CUDA graphs.
    policy_arguments: tuple[str, ...] = ("--mem-fraction-static", "0.5")
    ppm_arguments: tuple[str, ...] = ("--mem-fraction-static", "0.3")
    # Servers that are started listen from this port upwards, on this machine only.
    port: int = 31000
    # One card for all: servers give up its memory while the trainer works. Those that run already
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
    """How the processes of `rstar run` can be watched. Nothing of it changes what they do."""

    # The first of the loopback ports where they serve Prometheus metrics, one each (and a list of
    # them in HOME/metrics.json, as Prometheus reads it); 0: none.
    metrics_port: int = 0
    # Lines of the logs: for people, or one JSON object each.
    logs: Literal["text", "json"] = "text"
