from dataclasses import replace

import pytest
from msgspec import structs

from rstar_async.config import Recipe
from rstar_async.evaluation.settings import EvaluationSettings
from rstar_async.evaluation.strategies import strategies
from rstar_async.search.models import ActiveModels
from storage.records import Problem
from tests.search.scripted import ENCODER

SETTINGS = EvaluationSettings.of(Recipe(), "run", 1, ActiveModels("policy", "ppm", ENCODER))
PROBLEM = Problem("p", "run", "How many?", "3")


def id_of(settings: EvaluationSettings, strategy: str = "tree") -> str:
    return settings.attempt(strategies()[strategy], PROBLEM, 2).id


@pytest.mark.parametrize(
    ("strategy", "id_", "seed"),
    [
        ("tree", "fd6f504b8798e0e7", 868868156),
        ("greedy", "a3947681b4538e76", 1270985355),
        ("sample", "e1be569419b3d3e1", 1906020668),
        ("beam", "753ab7e5684fac46", 1294170977),
    ],
)
def test_attempts_have_the_ids_and_seeds_of_older_stores(strategy, id_, seed):
    """A setting that is added to `SearchConfig` must not change them."""
    row = SETTINGS.attempt(strategies()[strategy], PROBLEM, 2)
    assert (row.id, row.seed) == (id_, seed)


def test_an_id_depends_on_what_shapes_the_attempt_and_on_nothing_else():
    search, evaluation = SETTINGS.search, SETTINGS.evaluation
    for same in (
        replace(SETTINGS, search=structs.replace(search, in_flight=1)),
        replace(SETTINGS, evaluation=structs.replace(evaluation, trajectories=(1,), beam_width=9)),
    ):
        assert id_of(same) == id_of(SETTINGS)
    for other in (
        replace(SETTINGS, search=structs.replace(search, rollouts=99)),
        replace(SETTINGS, search=structs.replace(search, path_value="min")),
        replace(SETTINGS, bounds=structs.replace(SETTINGS.bounds, confidence=0.9)),
        replace(SETTINGS, seed=2),
    ):
        assert id_of(other) != id_of(SETTINGS)
    wider = replace(SETTINGS, evaluation=structs.replace(evaluation, beam_width=9))
    assert id_of(wider, "beam") != id_of(SETTINGS, "beam")


def test_an_id_has_the_rule_for_paths_that_holds_not_the_word_for_it():
    """A PPM may bring a rule, which "auto" takes; all trees of older stores have "last"."""

    def id_by(setting: str, rule: str) -> str:
        models = ActiveModels("policy", "ppm", ENCODER, rule)
        search = structs.replace(SETTINGS.search, path_value=setting)
        return id_of(replace(SETTINGS, models=models, search=search))

    assert id_by("auto", "last") == id_by("last", "mean") == id_of(SETTINGS)
    assert id_by("auto", "mean") == id_by("mean", "last") != id_of(SETTINGS)


def test_the_seed_does_not_depend_on_the_settings():
    longer = replace(SETTINGS, search=structs.replace(SETTINGS.search, rollouts=99))
    tree = strategies()["tree"]
    seeds = {one.attempt(tree, PROBLEM, 1).seed for one in (SETTINGS, longer)}
    assert len(seeds) == 1
