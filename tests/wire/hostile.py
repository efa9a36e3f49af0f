"""What a broken or hostile peer may send: valid messages, corrupted in many ways.

Everything is drawn from the given generator, so hypothesis can shrink what it finds, and a seed
reproduces a million inputs.
"""

from random import Random

import msgpack

from rstar_async.wire.codec import frames_of
from rstar_async.wire.messages import (
    PROTOCOL,
    Cancel,
    ClientBeat,
    ClientBye,
    ClientHello,
    Done,
    Error,
    Got,
    Header,
    StatusAsk,
    Stopped,
    Submit,
    WorkerBeat,
    WorkerBye,
    WorkerHello,
    job_id,
)
from rstar_async.wire.sizes import FRAME_BYTES, MAX_MESSAGES

Frames = list[bytes]
# So few that they collide: two peers with one session, results of jobs that a client waits for.
JOBS = [job_id(number) for number in range(6)]
SESSIONS = [b"session%d" % number for number in range(4)]
BOMBS = [
    b"\x91" * 100_000,  # arrays in arrays
    b"\x81\xa1x" * 50_000,  # maps in maps
    b"\xdd\xff\xff\xff\xff",  # an array, a map, bytes of four thousand million
    b"\xdf\xff\xff\xff\xff",
    b"\xc6\xff\xff\xff\xff",
    b"\x91\x92\x82\xa4type\xa6submit\xa3job" + b"\x91" * 10_000,
    b"\xc1",
    b"",
]
STRANGE = [None, True, -1, 0, 2**63, 2**64 - 1, float("nan"), float("inf"), -0.0, "", "x" * 5000,
           b"", b"\0" * 16, [], [[]], {}, {"type": "done"}, [1] * 300, "\ud7ff", 1.5]  # fmt: skip


def hostile(random: Random) -> Frames:
    """The frames of one message."""
    return random.choice(KINDS)(random)


def sensible(random: Random) -> Header:
    """A valid message that need not make sense at this moment, or from this peer."""
    job, session = random.choice(JOBS), random.choice(SESSIONS)
    attempt = random.randint(0, 5)
    jobs = random.sample(JOBS, random.randint(0, len(JOBS)))
    return random.choice(
        [
            ClientHello(random.choice([PROTOCOL, PROTOCOL, 99]), "client", session),
            Submit(job, random.choice(["", "tree"]), "", random.randint(-9, 9), 0.001),
            Cancel(job=job),
            Cancel(group="tree"),
            Cancel(),
            Got(job),
            Got(job, max(0, attempt), random.choice(["", "no answer"]), random.random() < 0.5),
            Got(job, others=jobs),
            ClientBeat(jobs),
            StatusAsk(random.randint(-(2**63), 2**63)),
            ClientBye(),
            WorkerHello(PROTOCOL, "worker", session, random.randint(0, 3), jobs),
            WorkerBeat(jobs, random.randint(0, 3)),
            Done(job, attempt),
            Error(job, attempt, random.random() < 0.5, "hostile"),
            Stopped(job, attempt, random.choice(["cancelled", "deadline", "draining"])),
            WorkerBye(),
        ]
    )


def _valid(random: Random) -> Frames:
    return frames_of((sensible(random), b"body" * random.randint(0, 3)))


def _several(random: Random) -> Frames:
    count = random.randint(2, 6)
    return frames_of(*((sensible(random), b"body" * random.randint(0, 3)) for _ in range(count)))


def _truncated(random: Random) -> Frames:
    (envelope,) = _several(random)
    return [envelope[: random.randint(0, len(envelope) - 1)]]


def _flipped(random: Random) -> Frames:
    (envelope,) = _valid(random)
    corrupt = bytearray(envelope)
    for _ in range(random.randint(1, 4)):
        corrupt[random.randint(0, len(corrupt) - 1)] = random.randint(0, 255)
    return [bytes(corrupt)]


def _corrupt_field(random: Random) -> Frames:
    fields = _fields(random)
    fields[random.choice(sorted(fields))] = random.choice(STRANGE)
    return [msgpack.packb([[fields, b""]])]


def _corrupt_body(random: Random) -> Frames:
    return [msgpack.packb([[_fields(random), random.choice(STRANGE)]])]


def _unknown_tag(random: Random) -> Frames:
    fields = {**_fields(random), "type": random.choice(["", "assign", "DONE", "welcome"])}
    return [msgpack.packb([[fields, b""]])]


def _bomb(random: Random) -> Frames:
    return [random.choice(BOMBS)]


def _too_long(random: Random) -> Frames:
    return [_LONGEST if random.random() < 0.01 else _valid(random)[0].ljust(300_000, b"\0")]


def _too_many(random: Random) -> Frames:
    return [msgpack.packb([[_fields(random), b""]] * (MAX_MESSAGES + random.randint(0, 1)))]


def _miscounted(random: Random) -> Frames:
    return [*_valid(random), *[b""] * random.randint(1, 5)]


def _noise(random: Random) -> Frames:
    return [random.randbytes(random.randint(0, 64)) for _ in range(random.randint(1, 3))]


def _fields(random: Random) -> dict[str, object]:
    return msgpack.unpackb(_valid(random)[0], strict_map_key=False)[0][0]


_LONGEST = b"\0" * (FRAME_BYTES + 1)
KINDS = [_valid, _several, _truncated, _flipped, _flipped, _corrupt_field, _corrupt_field,
         _corrupt_body, _unknown_tag, _bomb, _too_long, _too_many, _miscounted, _noise]  # fmt: skip
