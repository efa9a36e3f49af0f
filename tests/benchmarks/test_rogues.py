"""The rogues of the chaos benchmark: each of them is wrong in a way that can be told."""

from functools import partial

import msgspec
import pytest

from benchmarks.chaos.rogues import ROGUES
from rstar_async.wire.codec import Malformed, decode_from_worker, frames_of, read_payload
from rstar_async.wire.messages import PROTOCOL, Assign, Done, WorkerBeat, WorkerHello, job_id
from rstar_async.wire.payloads import (
    Execute,
    Executed,
    Generate,
    Generated,
    Sampling,
    Score,
    Scored,
)
from rstar_async.wire.replies import (
    BadReply,
    ModelBounds,
    check_executed,
    check_generated,
    check_scored,
)

MODEL = ModelBounds(vocabulary=1000, context=1024)
ASSIGN = Assign(job_id("rogue"), 1, 60.0)
GENERATE = Generate("policy", [1, 2, 3], 4, 7, Sampling())
EXECUTE = Execute("tree", ["print(1)"])
SCORE = Score("ppm", [1, 2], [[3], [4]])
# Of each pool: a request, the type of the reply, and its check.
REQUESTS = {
    "inference": (GENERATE, Generated, partial(check_generated, GENERATE, model=MODEL)),
    "executor": (EXECUTE, Executed, partial(check_executed, EXECUTE)),
    "reward": (SCORE, Scored, partial(check_scored, SCORE, model=MODEL)),
}


def test_there_are_at_least_twenty_kinds():
    assert len(ROGUES) >= 20


@pytest.mark.parametrize("name", ROGUES)
def test_every_rogue_says_what_is_refused_or_does_not_do_its_job(name):
    rogue = ROGUES[name]
    request, kind, check = REQUESTS[rogue.pool]
    replies = rogue.reply(ASSIGN, msgspec.msgpack.encode(request))
    says = [(WorkerHello(PROTOCOL, "rogue", b"session!", 1), rogue.hello)]
    says.append((WorkerBeat([], 1), rogue.beat))
    try:
        for header, change in says:
            decode_from_worker(frames_of((change(header), b"")))
        for header, body in replies:
            decode_from_worker(frames_of((header, body)))
    except Malformed:
        return
    for header, body in replies:
        if isinstance(header, Done):
            with pytest.raises((BadReply, Malformed)):
                check(read_payload(body, kind))
