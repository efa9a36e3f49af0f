"""Any msgpack library can read headers, and bad bytes raise nothing but `Malformed`."""

import contextlib

import msgpack
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rstar_async.wire import messages
from rstar_async.wire.codec import (
    Malformed,
    decode_from_client,
    decode_from_worker,
    decode_to_client,
    decode_to_worker,
    envelopes,
    frames_of,
    read_payload,
)
from rstar_async.wire.messages import JobId, Submit, WorkerHello, job_id
from rstar_async.wire.payloads import Generate, Sampling
from rstar_async.wire.sizes import (
    BODY_BYTES,
    ENVELOPE_BYTES,
    FRAME_BYTES,
    INLINE_BYTES,
    MAX_MESSAGES,
)

JOB = job_id("a job")
SESSION = b"session!"
EXAMPLES = {
    decode_from_client: [
        messages.ClientHello(1, "coordinator", SESSION),
        messages.Submit(JOB, "tree", "tree", 3, 60.0),
        messages.Cancel(job=JOB),
        messages.Cancel(group="tree"),
        messages.Got(JOB),
        messages.Got(JOB, others=[JOB]),
        messages.ClientBeat([JOB, JOB]),
        messages.StatusAsk(7),
        messages.ClientBye(),
    ],
    decode_to_client: [
        messages.Welcome(b"8 bytes.", 2.0, 64),
        messages.WhoAreYou(b"8 bytes."),
        messages.BrokerBeat(b"8 bytes."),
        messages.Refused("no"),
        messages.Accepted(JOB),
        messages.Accepted(JOB, [JOB]),
        messages.Finished(JOB, 2, "gpu-3", 1.5),
        messages.Failed(JOB, "dead", "three times"),
        messages.Status(
            number=7,
            pool="executor",
            epoch=b"8 bytes.",
            uptime_seconds=1.0,
            queued=1,
            suspects=0,
            leased=1,
            retained=0,
            unclaimed=0,
            clients=1,
            workers=[messages.WorkerStatus("w", 4, 1, 0.5)],
            counters=messages.Counters(submitted=2),
        ),
    ],
    decode_from_worker: [
        messages.WorkerHello(1, "gpu-3", SESSION, 256, [JOB]),
        messages.WorkerBeat([JOB], 256),
        messages.Done(JOB, 1),
        messages.Error(JOB, 1, True, "busy"),
        messages.Stopped(JOB, 1, "deadline"),
        messages.WorkerBye(),
    ],
    decode_to_worker: [
        messages.Welcome(b"8 bytes.", 1.0),
        messages.WhoAreYou(b"8 bytes."),
        messages.BrokerBeat(b"8 bytes."),
        messages.Refused("no"),
        messages.Assign(JOB, 1, 60.0, "tree", "tree"),
        messages.CancelRun(JOB),
        messages.GroupEnded("tree"),
    ],
}
PAIRS = [(decode, message) for decode, known in EXAMPLES.items() for message in known]
DECODERS = list(EXAMPLES)


@pytest.mark.parametrize("body", [b"", b"body", b"x" * INLINE_BYTES, b"y" * (INLINE_BYTES + 1)])
@pytest.mark.parametrize(("decode", "message"), PAIRS)
def test_every_message_survives_a_round_trip(decode, message, body):
    assert decode(frames_of((message, body))) == [(message, body)]


def test_many_messages_travel_together_each_with_its_body():
    bodies = [b"small", b"", b"L" * 100_000, b"small too", b"M" * 100_000]
    pairs = [(Submit(job_id(number)), body) for number, body in enumerate(bodies)]
    frames = frames_of(*pairs)
    assert [len(frame) for frame in frames[1:]] == [100_000, 100_000]
    assert decode_from_client(frames) == pairs


def test_messages_beyond_one_envelope_are_split_in_order():
    pairs = [(Submit(job_id(number)), b"") for number in range(2 * MAX_MESSAGES + 1)]
    split = list(envelopes(pairs))
    assert [len(envelope) for envelope in split] == [MAX_MESSAGES, MAX_MESSAGES, 1]
    read = [decode_from_client(frames_of(*envelope)) for envelope in split]
    assert [message for envelope in read for message in envelope] == pairs
    assert list(envelopes([])) == []


@pytest.mark.parametrize(("decode", "message"), PAIRS)
def test_every_message_is_plain_msgpack_both_ways(decode, message):
    ((plain, body),) = msgpack.unpackb(frames_of((message, b"body"))[0])
    assert plain == msgspec.to_builtins(message, builtin_types=(bytes,))
    assert decode([msgpack.packb([[plain, body]])]) == [(message, b"body")]


@pytest.mark.parametrize(("decode", "message"), PAIRS)
def test_unknown_fields_of_a_newer_peer_are_ignored(decode, message):
    newer = fields_of(message) | {"from_the_future": [1, {"x": None}]}
    assert decode([packed(**newer)]) == [(message, b"")]


def test_missing_fields_of_an_older_peer_take_their_defaults():
    assert decode_from_client([packed(type="submit", job=JOB)]) == [(Submit(JOB), b"")]


def packed(**fields: object) -> bytes:
    """An envelope with one message of these fields."""
    return msgpack.packb([[fields, b""]])


def fields_of(message: messages.Header) -> dict[str, object]:
    return msgpack.unpackb(frames_of((message, b""))[0])[0][0]


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"\xc1",
        b"\x91" * 100_000,  # a bomb of nested arrays
        b"\xdf\xff\xff\xff\xff",  # a map of four thousand million entries
        packed(type="submit", job=JOB) + b"x",
        packed(type="submit", job=JOB)[:-1],
        packed(type="submit"),
        packed(type="submit", job=JOB[:-1]),
        packed(type="submit", job=JOB.hex()),
        packed(type="submit", job=JOB, deadline=0.0),
        packed(type="submit", job=JOB, deadline=float("nan")),
        packed(type="submit", job=JOB, deadline=float("inf")),
        packed(type="submit", job=JOB, priority=2**40),
        packed(type="submit", job=JOB, group="x" * 201),
        b"\x91\x92\x82\xa4type\xa6cancel\xa5group\xa2\xff\xfe\xc4\x00",  # no UTF-8
        packed(type="done", job=JOB, attempt=1),  # a worker's message from a client
        packed(type="hello", protocol=1, name="", session=SESSION),
        packed(type="no such thing"),
        packed(job=JOB),
        msgpack.packb({"type": "submit", "job": JOB}),  # the layout of protocol 1
        msgpack.packb([]),
        msgpack.packb([[{"type": "bye"}]]),
        msgpack.packb([[{"type": "bye"}, b"", b""]]),
        msgpack.packb([[{"type": "bye"}, "text"]]),
        msgpack.packb([[{"type": "bye"}, None]]),  # announces a frame that does not come
        msgpack.packb([[{"type": "bye"}, b""]] * (MAX_MESSAGES + 1)),
        msgpack.packb([[{"type": "beat", "waiting": [JOB] * 20_001}, b""]]),
        msgpack.packb([1, 2]),
        msgpack.packb(None),
        b"\x00" * (FRAME_BYTES + 1),
    ],
)
def test_bytes_that_are_no_message_are_malformed(header):
    with pytest.raises(Malformed):
        decode_from_client([header])


@pytest.mark.parametrize("frames", [[], [packed(type="submit", job=JOB), b"one too many"]])
def test_a_wrong_number_of_frames_is_malformed(frames):
    with pytest.raises(Malformed):
        decode_from_client(frames)


@pytest.mark.parametrize("number", [-1, 2**63, float("nan"), float("inf"), 0.5, None, "4", [4]])
@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("capacity", {"type": "hello", "protocol": 2, "name": "w", "session": SESSION}),
        ("capacity", {"type": "beat", "running": []}),
        ("attempt", {"type": "done", "job": JOB}),
        ("attempt", {"type": "error", "job": JOB, "retryable": True}),
        ("attempt", {"type": "stopped", "job": JOB, "reason": "cancelled"}),
    ],
)
def test_an_absurd_number_that_a_worker_says_of_itself_is_malformed(name, header, number):
    decode_from_worker([packed(**header, **{name: 1})])
    with pytest.raises(Malformed):
        decode_from_worker([packed(**header, **{name: number})])


def test_an_absurd_capacity_is_malformed():
    with pytest.raises(Malformed):
        decode_from_worker(frames_of((WorkerHello(1, "w", SESSION, 10**9), b"")))


def test_large_bodies_are_split_into_envelopes_that_are_not_too_large():
    body = bytes(BODY_BYTES)
    pairs = [(Submit(job_id(number)), body) for number in range(5)]
    split = list(envelopes(pairs))
    assert [len(envelope) for envelope in split] == [2, 2, 1]
    assert [pair for envelope in split for pair in envelope] == pairs
    for envelope in split:
        frames = frames_of(*envelope)
        assert sum(map(len, frames)) <= ENVELOPE_BYTES
        assert decode_from_client(frames) == list(envelope)


def test_an_envelope_with_too_many_bytes_of_bodies_is_malformed():
    pairs = [(Submit(job_id(number)), bytes(BODY_BYTES)) for number in range(3)]
    with pytest.raises(Malformed, match="bytes of bodies"):
        decode_from_client(frames_of(*pairs))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(DECODERS), st.lists(st.binary(max_size=200), max_size=3))
def test_arbitrary_bytes_give_a_message_or_malformed(decode, frames):
    with contextlib.suppress(Malformed):
        decode(frames)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(PAIRS), st.data())
def test_damaged_messages_give_a_message_or_malformed(pair, data):
    decode, message = pair
    damaged = bytearray(frames_of((message, b"body"))[0])
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(Malformed):
        decode([bytes(damaged[: data.draw(st.integers(0, len(damaged)))])])


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.binary()
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(PAIRS), st.data())
def test_fields_of_a_wrong_type_give_a_message_or_malformed(pair, data):
    decode, message = pair
    fields = fields_of(message)
    fields[data.draw(st.sampled_from(sorted(fields)))] = data.draw(plain)
    with contextlib.suppress(Malformed):
        decode([packed(**fields)])


def test_a_payload_is_read_as_its_type_or_is_malformed():
    generate = Generate("policy-1", [1, 2], 4, 7, Sampling())
    assert read_payload(msgspec.msgpack.encode(generate), Generate) == generate
    with pytest.raises(Malformed):
        read_payload(b"\x91\x01", Generate)


def test_a_job_id_is_derived_from_content():
    name: JobId = job_id("round", 1, b"node")
    assert name == job_id("round", 1, b"node")
    assert len(name) == 16
    others = {job_id("round", "1", b"node"), job_id("round1", b"node"), job_id("round", 1, "node")}
    assert len(others | {name}) == 4
