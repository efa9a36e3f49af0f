"""What travels inside a job: one request and one reply per pool.

Brokers never read them. Every struct is encoded as a msgpack array, so fields may only be
appended, each with a default. Token ids are authoritative; text is derived from them.
"""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Literal, TypeAlias

import msgspec

TokenIds: TypeAlias = list[int]
Pool: TypeAlias = Literal["inference", "executor", "reward"]

POOLS: tuple[Pool, ...] = ("inference", "executor", "reward")


class Sampling(msgspec.Struct, frozen=True, array_like=True):
    """How to sample a step. `temperature` 0 is greedy; `max_tokens` bounds one step."""

    temperature: float = 1.0
    top_p: float = 1.0
    max_tokens: int = 256
    stop_token_ids: tuple[int, ...] = ()
    stop_texts: tuple[str, ...] = ()


class Generate(msgspec.Struct, frozen=True, array_like=True):
    """Ask for `n` continuations of `prompt` from model version `model`, seeded by `seed`.

    `logprobs` asks for the log probability of every sampled token; not every engine has them.
    """

    model: str
    prompt: TokenIds
    n: int
    seed: int
    sampling: Sampling
    logprobs: bool = False


class Sample(msgspec.Struct, frozen=True, array_like=True):
    """One continuation, up to and including its stop; `finish` says what ended it.

    No tokens and "length": the prompt fills the model's context.
    """

    tokens: TokenIds
    text: str
    finish: Literal["stop", "length", "eos"]
    logprobs: tuple[float, ...] = ()


class Generated(msgspec.Struct, frozen=True, array_like=True):
    """`prompt_tokens` counts the prompt once; `cached_tokens` of them came from the cache."""

    model: str
    samples: list[Sample]
    prompt_tokens: int
    cached_tokens: int
    seconds: float


class Score(msgspec.Struct, frozen=True, array_like=True):
    """Ask the PPM `model` for the value of `prefix + step`, for each of `steps`."""

    model: str
    prefix: TokenIds
    steps: list[TokenIds]


class Scored(msgspec.Struct, frozen=True, array_like=True):
    """Raw head outputs (no tanh), in the order of the request's steps; NaN for a step that does not
    fit into the model's context after the prefix."""

    model: str
    values: list[float]
    prompt_tokens: int
    cached_tokens: int
    seconds: float


class Limits(msgspec.Struct, frozen=True, array_like=True):
    """Bounds on one program. Bytes for output, MiB for memory, seconds of CPU and of wall time."""

    wall_seconds: float = 10.0
    cpu_seconds: float = 8.0
    memory_mib: int = 1024
    output_bytes: int = 65536


class Execute(msgspec.Struct, frozen=True, array_like=True):
    """Run `steps[-1]` in the state that `steps[:-1]` left behind.

    The whole program always travels with the job, so any executor can run it; `tree` names the
    search whose snapshots may shorten the work.
    """

    tree: str
    steps: list[str]
    limits: Limits = Limits()


Status: TypeAlias = Literal["ok", "exception", "timeout", "memory", "output", "died"]


class Executed(msgspec.Struct, frozen=True, array_like=True):
    """The outcome of the last step.

    `stdout` is what the last step printed; `value` is the repr of its final expression, "" if none.
    `step` is the index of the step that failed (-1 if none did) and `line` the line in it.
    `program` is the `program_digest` of the steps that this is the outcome of.
    """

    status: Status
    stdout: str = ""
    value: str = ""
    error_type: str = ""
    error_message: str = ""
    step: int = -1
    line: int = 0
    cpu_seconds: float = 0.0
    peak_mib: float = 0.0
    reused_steps: int = 0
    program: bytes = b""


def program_digest(steps: Iterable[str]) -> bytes:
    """8 bytes that tell one program from another."""
    return blake2b(msgspec.msgpack.encode(list(steps)), digest_size=8).digest()
