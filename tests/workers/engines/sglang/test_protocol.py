"""What is sent to SGLang and how its answers are read; no server needed."""

import msgspec
import pytest

from rstar_async.engines.errors import Interrupted
from rstar_async.engines.sglang_messages import Completion
from rstar_async.wire.payloads import Generate, Sampling
from workers.engines.sglang import protocol
from workers.engines.stops import StopRule

END = 9


def decode(tokens):
    return "".join("abcdefghij"[token] for token in tokens)


def completion(ids, kind="length", matched=None):
    said = {
        "output_ids": ids,
        "meta_info": {
            "finish_reason": {"type": kind, "matched": matched, "message": "why"},
            "weight_version": "v2",
            "weight_versions": [
                {"version": "v1", "start": 0, "end": 1},
                {"version": "v2", "start": 1, "end": 2},
            ],
            "output_token_logprobs": [[-0.5, token, None] for token in ids],
        },
    }
    return msgspec.json.decode(msgspec.json.encode(said), type=Completion)


def sample(given, limit=8, end_ids=frozenset({END}), **sampling):
    rule = StopRule(Sampling(**sampling), end_ids, limit, decode)
    made = protocol.sample_of(given, rule, decode)
    return made.tokens, made.text, made.finish, len(made.logprobs)


@pytest.mark.parametrize(
    ("given", "sampling", "expected"),
    [
        (completion([1, 2, 3]), {}, ([1, 2, 3], "bcd", "length", 3)),
        (completion([1, 2, 3], "stop", 3), {"stop_token_ids": (3,)}, ([1, 2, 3], "bcd", "stop", 3)),
        (completion([1, 2, END], "stop", END), {}, ([1, 2], "bc", "eos", 2)),
        # Two tokens past the text that ended it, as with speculative decoding.
        (
            completion([1, 2, 3, 4], "stop", "bc"),
            {"stop_texts": ("bc",)},
            ([1, 2], "bc", "stop", 2),
        ),
        # An end that the folder does not name.
        (completion([1, 5], "stop", 5), {}, ([1], "b", "eos", 1)),
        (completion([], "length"), {}, ([], "", "length", 0)),
    ],
)
def test_ids_are_cut_where_the_step_ends(given, sampling, expected):
    assert sample(given, **sampling) == expected


def test_an_aborted_request_may_be_sent_again():
    with pytest.raises(Interrupted, match="why"):
        sample(completion([1], "abort"))


def test_all_weights_that_had_a_part_are_named():
    assert completion([1, 2]).versions == {"v1", "v2"}


def test_every_sample_has_a_seed_of_its_own_that_depends_on_the_request_alone():
    def seeds(seed):
        body = protocol.samples(Generate("m", [1], 5, seed, Sampling()), 7, "r")
        assert body["input_ids"] == [[1]] * 5
        assert len(set(body["rid"])) == 5
        return [settings["sampling_seed"] for settings in body["sampling_params"]]

    assert seeds(3) == seeds(3)
    assert len({*seeds(3), *seeds(4)}) == 10
    assert all(0 <= seed < 2**31 for seed in seeds(2**62))
