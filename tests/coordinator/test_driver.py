import logging

import pytest
from msgspec import structs

from rstar_async.config import PPMConfig, Recipe, RoundConfig
from rstar_async.coordinator.driver import Driver
from storage.records import ModelVersion

FIGURES = {
    "pair_accuracy_by_problem": 0.5,
    "pair_accuracy_shorter": 0.5,
    "pair_accuracy_likelier": 0.6,
}


def driver(trust: str) -> Driver:
    recipe = Recipe(rounds=(RoundConfig(),), ppm=PPMConfig(trust=trust))
    return Driver(recipe, store=None, runner=None)


def ppm(trusted: bool | None) -> ModelVersion:
    metrics = {**FIGURES, "trusted": trusted}
    return ModelVersion(
        "ppm-r001-01234567", "run", "ppm", 1, None, "", "published", metrics=metrics
    )


def test_a_ppm_no_better_than_its_baselines_guides_nothing_and_is_named(caplog):
    with caplog.at_level(logging.WARNING):
        assert not driver("measured")._is_trusted(ppm(False))
    (record,) = caplog.records
    assert record.model == "ppm-r001-01234567"
    assert record.likelier_step == 0.6


@pytest.mark.parametrize("trusted", [True, None])
def test_a_ppm_that_is_better_or_was_not_measured_may_guide(trusted):
    assert driver("measured")._is_trusted(ppm(trusted))


def test_older_ppms_without_figures_may_guide():
    assert driver("measured")._is_trusted(structs.replace(ppm(None), metrics={}))


def test_the_paper_trusts_every_ppm():
    assert driver("always")._is_trusted(ppm(False))
