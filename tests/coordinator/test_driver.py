import logging

import pytest

from rstar_async.config import PPMConfig, Recipe, RoundConfig
from rstar_async.coordinator.driver import Driver
from storage.records import ModelVersion

FIGURES = {
    "pair_accuracy_by_problem": 0.5,
    "pair_accuracy_shorter": 0.5,
    "pair_accuracy_likelier": 0.6,
}
POLICY, PPM = "policy-r001-01234567", "ppm-r001-01234567"


class StoredModels:
    """A store of one policy and one PPM."""

    def __init__(self, trusted: bool | None) -> None:
        metrics = {**FIGURES, "trusted": trusted}
        self._found = {
            "policy": ModelVersion(POLICY, "run", "policy", 1, None, "", "published"),
            "ppm": ModelVersion(PPM, "run", "ppm", 1, None, "", "published", metrics=metrics),
        }

    async def read(self, query, run, kind, number):
        return self._found[kind]


def driver(trust: str, trusted: bool | None) -> Driver:
    recipe = Recipe(rounds=(RoundConfig(),), ppm=PPMConfig(trust=trust))
    return Driver(recipe, store=StoredModels(trusted), runner=None)


async def test_a_ppm_no_better_than_its_baselines_guides_nothing_and_is_named(caplog):
    with caplog.at_level(logging.WARNING):
        policy, ppm, note = await driver("measured", False)._models_of(1)
    assert (policy, ppm) == (POLICY, None)
    (record,) = caplog.records
    assert record.model == PPM
    assert note in record.getMessage()
    assert "60.0 %" in note


@pytest.mark.parametrize("trusted", [True, None])
async def test_a_ppm_that_is_better_or_was_not_measured_may_guide(trusted):
    assert await driver("measured", trusted)._models_of(1) == (POLICY, PPM, "")


async def test_the_paper_trusts_every_ppm():
    assert await driver("always", False)._models_of(1) == (POLICY, PPM, "")
