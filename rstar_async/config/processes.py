"""Which processes do the work on one machine, and how they can be watched."""

from typing import Literal

from rstar_async.config.base import (
    Count,
    MebibytesOrNone,
    Port,
    PortOrNone,
    Processes,
    ProcessesOrNone,
    Section,
)

Weakness = Literal["no-landlock", "no-listener"]


class WorkersConfig(Section):
    """Processes of `rstar run` on one machine."""

    # "local": transformers in the worker. "sglang": servers, see [sglang]. "scripted" follows a
    # script and needs no weights: for tests of everything around the models.
    engine: Literal["local", "sglang", "scripted"] = "local"
    inference: Processes = 1
    reward: ProcessesOrNone = 1
    executor: Processes = 1
    # Programs run at once by one executor; 0 means one per core.
    slots: ProcessesOrNone = 0
    # Locks that an executor may do without where the machine lacks them; see docs/security.md.
    allow: tuple[Weakness, ...] = ()
    # Rows decoded at once, and memory for the prefix cache.
    rows: Count = 128
    cache_mib: MebibytesOrNone = 1024
    # Threads of one inference or reward process; they share the cores with executors.
    threads: Processes = 1


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
    port: Port = 31000
    # One card for all: servers give up its memory while the trainer works. Those that run already
    # must have been started with --enable-memory-saver.
    share_device: bool = False


class ObserveConfig(Section):
    """How the processes of `rstar run` can be watched. Nothing of it changes what they do."""

    # The first of the loopback ports where they serve Prometheus metrics, one each (and a list of
    # them in HOME/metrics.json, as Prometheus reads it); 0: none.
    metrics_port: PortOrNone = 0
    # Lines of the logs: for people, or one JSON object each.
    logs: Literal["text", "json"] = "text"
