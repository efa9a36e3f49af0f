import pytest

from rstar_async.config import EvaluationConfig, Recipe, RoundConfig, SearchConfig
from rstar_async.planning.work import Probe, hours, work_of

PROBE = Probe(searches=10, tokens_per_search=1000, nodes_per_search=20, tokens_per_second=100)
ALONE = EvaluationConfig(search=False)
SEARCH = SearchConfig(rollouts=4, candidates=5)


def test_searches_tokens_and_hours_of_all_rounds_are_added_up():
    recipe = Recipe(search=SEARCH, rounds=(RoundConfig(), RoundConfig(rollouts=8)))
    work = work_of(recipe, [30, 10], 0, PROBE)
    assert work.searches == 40
    assert work.tokens == 30 * 1000 + 10 * 2000
    assert work.nodes == 30 * 20 + 10 * 40
    assert work.hours == pytest.approx(50_000 / 100 / 3600)


def test_the_bootstrap_and_each_round_are_measured():
    recipe = Recipe(search=SEARCH, evaluation=ALONE, rounds=(RoundConfig(),) * 3)
    samples = ALONE.samples / (SEARCH.rollouts * SEARCH.candidates)
    assert work_of(recipe, [0, 0, 0], 7, PROBE).tokens == round(4 * 7 * samples * 1000)
    trees = Recipe(search=SEARCH, rounds=recipe.rounds)
    assert work_of(trees, [0, 0, 0], 7, PROBE).searches == 4 * 7


def test_times_are_written_in_the_fitting_unit():
    assert [hours(h) for h in (3.21, 0.2, 0.001)] == ["3.2 hours", "12 minutes", "1 minute"]
