"""Workers that answer wrongly, each in a way of its own."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec
from msgspec import structs

from rstar_async.wire.codec import Message
from rstar_async.wire.messages import Assign, Done, Error, Header, Stopped, WorkerBeat, WorkerHello
from rstar_async.wire.payloads import (
    Execute,
    Executed,
    Generate,
    Generated,
    Pool,
    Sample,
    Score,
    Scored,
    program_digest,
)

# From the assignment and its body to what is sent back.
Reply: TypeAlias = Callable[[Assign, bytes], Sequence[Message]]
Change: TypeAlias = Callable[[Any], Any]


def _same(header: Any) -> Any:
    return header


@dataclass(frozen=True)
class Rogue:
    """One kind: the pool it works in, how it answers, and what it says of itself."""

    pool: Pool
    reply: Reply
    hello: Change = _same
    beat: Change = _same


def _done(assign: Assign, body: bytes) -> Sequence[Message]:
    return [(Done(assign.job, assign.attempt), body)]


def _bytes(body: bytes) -> Reply:
    return lambda assign, _: _done(assign, body)


def _header(header: Callable[[Assign], Header]) -> Reply:
    return lambda assign, _: [(header(assign), b"")]


def _sampled(change: Callable[[Generate, Generated], Any]) -> Reply:
    """A plausible reply of a policy, with a change."""

    def reply(assign: Assign, body: bytes) -> Sequence[Message]:
        request = msgspec.msgpack.decode(body, type=Generate)
        samples = [Sample([5, 6], "x = 1\n<end_of_step>", "stop")] * request.n
        good = Generated(request.model, samples, len(request.prompt), 0, 0.1)
        return _done(assign, msgspec.msgpack.encode(change(request, good)))

    return reply


def _each_sample(**changes: Any) -> Reply:
    return _sampled(
        lambda _, good: structs.replace(
            good, samples=[structs.replace(sample, **changes) for sample in good.samples]
        )
    )


def _scored(change: Callable[[Score, Scored], Any]) -> Reply:
    """A plausible reply of a PPM, with a change."""

    def reply(assign: Assign, body: bytes) -> Sequence[Message]:
        request = msgspec.msgpack.decode(body, type=Score)
        good = Scored(request.model, [0.5] * len(request.steps), len(request.prefix), 0, 0.1)
        return _done(assign, msgspec.msgpack.encode(change(request, good)))

    return reply


def _executed(change: Callable[[Execute, Executed], Any]) -> Reply:
    """A plausible outcome of a program, with a change."""

    def reply(assign: Assign, body: bytes) -> Sequence[Message]:
        request = msgspec.msgpack.decode(body, type=Execute)
        return _done(assign, msgspec.msgpack.encode(change(request, Executed("ok", "x\n"))))

    return reply


def _outcome(**changes: Any) -> Reply:
    return _executed(lambda _, good: structs.replace(good, **changes))


def _capacity(number: Any) -> Change:
    def change(header: WorkerHello | WorkerBeat) -> WorkerHello | WorkerBeat:
        return structs.replace(header, capacity=number)

    return change


ROGUES: Mapping[str, Rogue] = {
    # policies
    "another model": Rogue("inference", _sampled(lambda _, g: structs.replace(g, model="other"))),
    "no samples": Rogue("inference", _sampled(lambda _, g: structs.replace(g, samples=[]))),
    "a sample too many": Rogue(
        "inference", _sampled(lambda _, g: structs.replace(g, samples=[*g.samples, g.samples[0]]))
    ),
    "token 2^40": Rogue("inference", _each_sample(tokens=[2**40])),
    "token -5": Rogue("inference", _each_sample(tokens=[-5])),
    "a token beyond the vocabulary": Rogue("inference", _each_sample(tokens=[10**6])),
    "text without tokens": Rogue("inference", _each_sample(tokens=[])),
    "a log probability of NaN": Rogue("inference", _each_sample(logprobs=(math.nan, math.nan))),
    "no room for a short prompt": Rogue(
        "inference", _each_sample(tokens=[], text="", finish="length")
    ),
    "negative counters": Rogue(
        "inference", _sampled(lambda _, g: structs.replace(g, prompt_tokens=-1, cached_tokens=-7))
    ),
    "garbage of a policy": Rogue("inference", _bytes(b"\xc1garbage")),
    "an error that is none": Rogue(
        "inference", _header(lambda a: Error(a.job, a.attempt, False, "no such model"))
    ),
    # executors
    "garbage of an executor": Rogue("executor", _bytes(b"\xc1garbage")),
    "nothing": Rogue("executor", _bytes(b"")),
    "NaN seconds": Rogue("executor", _outcome(cpu_seconds=math.nan, peak_mib=math.inf)),
    "2^63 reused steps": Rogue("executor", _outcome(reused_steps=2**63 - 1)),
    "2^64 - 1 and no struct": Rogue(
        "executor", _executed(lambda *_: ["ok", "x", "", "", "", -1, 0, 0.0, 0.0, 2**64 - 1])
    ),
    "a failed step that is not there": Rogue("executor", _outcome(status="exception", step=99)),
    "the outcome of another program": Rogue(
        "executor", _outcome(program=program_digest(["print(2)"]))
    ),
    "an unknown status": Rogue("executor", _executed(lambda *_: ["splendid", "x"])),
    "a success with an error": Rogue("executor", _outcome(error_type="NameError", step=0)),
    "a megabyte of output": Rogue("executor", _outcome(stdout="x" * 2**20)),
    "always busy": Rogue("executor", _header(lambda a: Error(a.job, a.attempt, True, "try again"))),
    "stops unasked": Rogue("executor", _header(lambda a: Stopped(a.job, a.attempt, "cancelled"))),
    "forgets its jobs": Rogue("executor", lambda *_: []),
    "a capacity of NaN": Rogue("executor", _bytes(b""), beat=_capacity(math.nan)),
    "a capacity of 2^63": Rogue("executor", _bytes(b""), hello=_capacity(2**63)),
    "an attempt of -1": Rogue("executor", lambda a, body: [(Done(a.job, -1), body)]),
    # PPMs
    "a value too few": Rogue("reward", _scored(lambda _, s: structs.replace(s, values=[]))),
    "a value too many": Rogue(
        "reward", _scored(lambda _, s: structs.replace(s, values=[*s.values, 0.5]))
    ),
    "an infinite value": Rogue(
        "reward", _scored(lambda _, s: structs.replace(s, values=[math.inf] * len(s.values)))
    ),
    "no value of a short step": Rogue(
        "reward", _scored(lambda _, s: structs.replace(s, values=[math.nan] * len(s.values)))
    ),
    "another PPM": Rogue("reward", _scored(lambda _, s: structs.replace(s, model="other"))),
}
