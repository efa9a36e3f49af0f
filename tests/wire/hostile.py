"""What a broken or hostile peer may send: valid messages, bent in every way we could think of.

Everything is drawn from the given generator, so hypothesis can shrink what it found, and a seed
alone makes a million inputs again.
"""

from random import Random

import msgpack

from rstar_async.wire.codec import HEADER_BYTES, encode
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

Frames = list[bytes]
# So few that they meet: two peers with one session, results of jobs that somebody waits for.
JOBS = [job_id(number) for number in range(6)]
SESSIONS = [b"session%d" % number for number in range(4)]
BOMBS = [
    b"\x91" * 100_000,  # arrays in arrays
    b"\x81\xa1x" * 50_000,  # maps in maps
    b"\xdd\xff\xff\xff\xff",  # an array, a map, bytes of four thousand million
    b"\xdf\xff\xff\xff\xff",
    b"\xc6\xff\xff\xff\xff",
    b"\x82\xa4type\xa6submit\xa3job" + b"\x91" * 10_000,
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
    attempt = random.randint(-1, 5)
    jobs = random.sample(JOBS, random.randint(0, len(JOBS)))
    return random.choice(
        [
            ClientHello(random.choice([PROTOCOL, PROTOCOL, 99]), "client", session),
            Submit(job, random.choice(["", "tree"]), "", random.randint(-9, 9), 0.001),
            Cancel(job=job),
            Cancel(group="tree"),
            Cancel(),
            Got(job),
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
    body = [b"body" * random.randint(0, 3)] if random.random() < 0.5 else []
    return [encode(sensible(random)), *body]


def _truncated(random: Random) -> Frames:
    header = encode(sensible(random))
    return [header[: random.randint(0, len(header) - 1)]]


def _flipped(random: Random) -> Frames:
    header = bytearray(encode(sensible(random)))
    for _ in range(random.randint(1, 4)):
        header[random.randint(0, len(header) - 1)] = random.randint(0, 255)
    return [bytes(header)]


def _bent_field(random: Random) -> Frames:
    fields = msgpack.unpackb(encode(sensible(random)), strict_map_key=False)
    fields[random.choice(sorted(fields))] = random.choice(STRANGE)
    return [msgpack.packb(fields)]


def _unknown_tag(random: Random) -> Frames:
    fields = msgpack.unpackb(encode(sensible(random)))
    return [msgpack.packb({**fields, "type": random.choice(["", "assign", "DONE", "welcome"])})]


def _bomb(random: Random) -> Frames:
    return [random.choice(BOMBS)]


def _too_long(random: Random) -> Frames:
    return [encode(sensible(random)).ljust(HEADER_BYTES + random.randint(0, 1), b"\0")]


def _miscounted(random: Random) -> Frames:
    return [encode(sensible(random)), *[b""] * random.randint(2, 5)]


def _noise(random: Random) -> Frames:
    return [random.randbytes(random.randint(0, 64)) for _ in range(random.randint(1, 3))]


KINDS = [_valid, _valid, _truncated, _flipped, _flipped, _bent_field, _bent_field, _unknown_tag,
         _bomb, _too_long, _miscounted, _noise]  # fmt: skip
