import msgspec
from msgspec import structs

from rstar_async.evaluation.display import caption
from rstar_async.evaluation.intervals import ratio_of_means
from rstar_async.evaluation.results import Results, interval

RESULTS = Results(
    run="r",
    round=3,
    policy="policy",
    ppm="ppm",
    benchmark="heldout",
    problems=39,
    seed=1,
    rollouts=4,
    candidates=4,
    beam_width=4,
    beam_candidates=4,
    generated=12_345,
    seconds=37.4,
    rows=[],
)


def test_the_caption_says_how_far_the_ppm_can_be_trusted_if_that_is_known():
    assert "PPM" not in caption(RESULTS)
    known = caption(structs.replace(RESULTS, pair_accuracy=0.481))
    assert known.endswith("the PPM orders 48.1 % of held-out pairs rightly, chance is 50 %")
    assert "12,345 tokens in 37 s" in known


def test_the_caption_says_what_adaptive_consistency_saves():
    said = caption(structs.replace(RESULTS, token_savings=((0.23, 0.15, 0.31), (0.0, -0.01, 0.02))))
    assert "takes 23.0 % [15, 31] of the tokens" in said
    assert said.endswith("accuracy +0.0 points [-1.0, +2.0]")


def test_the_names_in_the_json_file_stay():
    document = msgspec.to_builtins(structs.replace(RESULTS, token_savings=((1, 1, 1), (0, 0, 0))))
    assert document["spared"] == ((1, 1, 1), (0, 0, 0))


def test_the_caption_says_that_a_ppm_was_left_out():
    left_out = structs.replace(RESULTS, ppm=None, pair_accuracy=None, ppm_note="ppm-1 is out")
    assert caption(left_out).splitlines()[-1] == "ppm-1 is out"


def test_a_ratio_without_bounds_is_shown_and_read_back_as_it_was():
    """JSON has no infinite numbers."""
    alone = interval(ratio_of_means([1.0], [1.0]))
    assert alone == (1.0, 0.0, None)
    results = structs.replace(RESULTS, token_savings=(alone, alone))
    assert msgspec.json.decode(msgspec.json.encode(results), type=Results) == results
    assert caption(results).endswith("accuracy +100.0 points [+0.0, -]")
