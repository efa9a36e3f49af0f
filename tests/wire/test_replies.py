"""Replies against their requests: what no honest worker says is refused, the rest passes."""

import math

import pytest
from msgspec import structs

from rstar_async.wire.payloads import (
    Execute,
    Executed,
    Generate,
    Generated,
    Limits,
    Sample,
    Sampling,
    Score,
    Scored,
    program_digest,
)
from rstar_async.wire.replies import (
    BadReply,
    DoubtfulReply,
    ModelBounds,
    check_executed,
    check_generated,
    check_scored,
)

MODEL = ModelBounds(vocabulary=1000, context=100)
GENERATE = Generate("policy", [1, 2, 3], 2, 7, Sampling(max_tokens=16))
GENERATED = Generated(
    "policy", [Sample([5, 999], "x = 1", "stop"), Sample([6], "y", "length")], 3, 2, 0.5
)
SCORE = Score("ppm", [1, 2, 3], [[4], [5, 6]])
SCORED = Scored("ppm", [0.5, -3.25], 6, 3, 0.5)
EXECUTE = Execute("tree", ["a = 1", "print(a)"], Limits(output_bytes=10))
EXECUTED = Executed("ok", "1\n", "", cpu_seconds=0.1, peak_mib=30.0, reused_steps=1)


def sampled(**changes: object) -> Generated:
    """With changes in the first sample."""
    first, *others = GENERATED.samples
    return structs.replace(GENERATED, samples=[structs.replace(first, **changes), *others])


@pytest.mark.parametrize(
    ("reply", "complaint"),
    [
        (structs.replace(GENERATED, model="another"), "model 'another'"),
        (structs.replace(GENERATED, samples=[]), "0 samples where 2"),
        (structs.replace(GENERATED, samples=GENERATED.samples * 2), "4 samples where 2"),
        (structs.replace(GENERATED, prompt_tokens=-1), "prompt tokens"),
        (structs.replace(GENERATED, prompt_tokens=2**63), "prompt tokens"),
        (structs.replace(GENERATED, prompt_tokens=4), "4 prompt tokens of 3"),
        (structs.replace(GENERATED, cached_tokens=-7), "cached tokens"),
        (structs.replace(GENERATED, cached_tokens=4), "cached tokens"),
        (structs.replace(GENERATED, seconds=math.nan), "seconds"),
        (structs.replace(GENERATED, seconds=-0.5), "seconds"),
        (sampled(tokens=[2**40]), f"token id {2**40}"),
        (sampled(tokens=[-5]), "token id -5"),
        (sampled(tokens=[1000]), "token id 1000 of a vocabulary of 1000"),
        (sampled(tokens=[7] * 200), "200 tokens where 16"),
        (sampled(tokens=[]), "a text without tokens"),
        (sampled(text="x" * 5000), "text of 5000 characters"),
        (sampled(logprobs=(math.nan, -0.1)), "not finite"),
        (sampled(logprobs=(-0.1,)), "1 log probabilities of 2 tokens"),
    ],
)
def test_what_no_policy_answers_is_refused(reply, complaint):
    with pytest.raises(BadReply, match=complaint) as refused:
        check_generated(GENERATE, reply, MODEL)
    assert not isinstance(refused.value, DoubtfulReply)


@pytest.mark.parametrize(
    ("reply", "complaint"),
    [
        (structs.replace(SCORED, model="another"), "model 'another'"),
        (structs.replace(SCORED, values=[0.5]), "1 values of 2 steps"),
        (structs.replace(SCORED, values=[0.5] * 3), "3 values of 2 steps"),
        (structs.replace(SCORED, values=[0.5, math.inf]), "infinite"),
        (structs.replace(SCORED, prompt_tokens=-1), "prompt tokens"),
        (structs.replace(SCORED, cached_tokens=7), "cached tokens"),
        (structs.replace(SCORED, seconds=math.inf), "seconds"),
    ],
)
def test_what_no_ppm_answers_is_refused(reply, complaint):
    with pytest.raises(BadReply, match=complaint) as refused:
        check_scored(SCORE, reply, MODEL)
    assert not isinstance(refused.value, DoubtfulReply)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"program": program_digest(["print(2)"])}, "another program"),
        ({"step": 2, "status": "exception"}, "failed step"),
        ({"step": -2, "status": "exception"}, "failed step"),
        ({"line": -1}, "line"),
        ({"line": 2**63}, "line"),
        ({"reused_steps": 3}, "reused steps"),
        ({"reused_steps": -1}, "reused steps"),
        ({"reused_steps": 2**63 - 1}, "reused steps"),
        ({"cpu_seconds": math.nan}, "CPU seconds"),
        ({"cpu_seconds": -1.0}, "CPU seconds"),
        ({"peak_mib": math.inf}, "MiB"),
        ({"step": 1}, "a success that names an error"),
        ({"error_type": "NameError"}, "a success that names an error"),
        ({"stdout": "x" * 41}, "output of 41 characters"),
        ({"error_type": "E" * 2000, "status": "exception"}, "error type"),
        ({"value": "v" * 70_000}, "value of"),
    ],
)
def test_what_no_executor_answers_is_refused(changes, complaint):
    with pytest.raises(BadReply, match=complaint):
        check_executed(EXECUTE, structs.replace(EXECUTED, **changes))


def test_good_replies_pass():
    check_generated(GENERATE, GENERATED, MODEL)
    check_scored(SCORE, SCORED, MODEL)
    check_executed(EXECUTE, EXECUTED)
    check_executed(EXECUTE, structs.replace(EXECUTED, program=program_digest(EXECUTE.steps)))
    check_executed(EXECUTE, Executed("exception", "", "", "NameError", "x", step=1, line=1))
    with_logprobs = structs.replace(GENERATE, logprobs=True, n=1)
    sample = Sample([5], "x", "stop", (-0.5,))
    check_generated(with_logprobs, Generated("policy", [sample], 3, 0, 0.1), MODEL)


def test_no_room_is_doubted_where_the_model_has_room_and_believed_where_it_has_none():
    full = structs.replace(GENERATED, samples=[Sample([], "", "length")] * 2)
    with pytest.raises(DoubtfulReply, match="no room after 3 tokens of 100"):
        check_generated(GENERATE, full, MODEL)
    check_generated(GENERATE, full, ModelBounds(1000, context=3))
    check_generated(GENERATE, full)


def test_no_value_is_doubted_where_the_step_fits_and_believed_where_it_does_not():
    unread = structs.replace(SCORED, values=[0.5, math.nan])
    with pytest.raises(DoubtfulReply, match="a step that ends at token 5"):
        check_scored(SCORE, unread, MODEL)
    check_scored(SCORE, unread, ModelBounds(1000, context=4))
    check_scored(SCORE, unread)
