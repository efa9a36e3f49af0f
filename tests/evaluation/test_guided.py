import math

import pytest

from rstar_async.config import EvaluationConfig
from rstar_async.evaluation.guided import GuidedSampling, probability
from rstar_async.evaluation.recorded_tree import RecordedTree
from rstar_async.search.tree import NodeStatus
from tests.search.scripted import ENCODER, Script, expander

RAW = {"sure": 4.0, "fair": 0.5, "poor": -2.0, "boxed": 5.0}


def step(word: str) -> str:
    return f"<code>\n# {word} step\nx = 3\n<end_of_step>"


def scores(request):
    texts = [ENCODER.decode(list(tokens)) for tokens in request.steps]
    return [next(raw for word, raw in RAW.items() if word in text) for text in texts]


def in_turn(*steps: str):
    """One step for each request; the last one for all that follow."""
    left = list(steps)

    def texts(request):
        assert request.n == 1
        return [left.pop(0) if len(left) > 1 else left[0]]

    return texts


async def grow(texts, candidates: int = 4, **options) -> tuple[RecordedTree, Script]:
    script, tree = Script(texts, scores=scores), RecordedTree()
    settings = EvaluationConfig(guided_candidates=candidates, accept=0.9)
    await GuidedSampling().grow(expander(script, ppm="ppm", **options), tree, settings)
    return tree, script


def drawn(tree: RecordedTree, path: str) -> int:
    return len(tree.tree.nodes[path].children)


async def test_a_step_of_which_the_ppm_is_sure_is_not_drawn_again():
    tree, _ = await grow(in_turn(step("sure")), max_depth=2)
    assert [drawn(tree, "0"), drawn(tree, "0.1")] == [1, 1]


async def test_a_doubtful_step_is_drawn_again_until_one_is_sure():
    tree, _ = await grow(in_turn(step("poor"), step("fair"), step("sure")), max_depth=1)
    assert drawn(tree, "0") == 3
    assert [n.path for n in tree.root.children if n.children] == ["0.3"]


async def test_after_all_draws_the_best_step_that_runs_is_taken():
    texts = in_turn("<code>\n# sure, and no end", step("fair"), step("poor"), step("poor"))
    tree, _ = await grow(texts, candidates=3, max_depth=1)
    assert drawn(tree, "0") == 3
    assert [n.path for n in tree.root.children if n.children] == ["0.2"]


async def test_a_pass_ends_where_no_step_runs():
    tree, _ = await grow(in_turn("<code>\n# no end"), candidates=3)
    assert [n.status for n in tree.root.children] == [NodeStatus.UNFINISHED] * 3


async def test_every_draw_has_a_seed_of_its_own_and_the_first_that_of_a_search():
    _, script = await grow(in_turn(step("poor")), candidates=3, max_depth=1)
    seeds = [request.seed for request in script.asked if hasattr(request, "sampling")]
    _, searched = await grow(in_turn(step("sure")), max_depth=1)
    assert len(set(seeds[:3])) == 3
    assert seeds[0] == searched.asked[0].seed


@pytest.mark.parametrize(("raw", "expected"), [(0.0, 0.5), (math.log(9), 0.9), (-1e6, 0.0)])
def test_a_raw_score_is_the_logit_of_a_probability(raw, expected):
    assert probability(raw) == pytest.approx(expected)
