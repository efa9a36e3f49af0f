import logging

import pytest

from rstar_async.config import PPMConfig, Recipe, RoundConfig
from rstar_async.coordinator.driver import Driver, run_row
from rstar_async.coordinator.membership import Alone
from storage import queries
from storage.records import ModelVersion, Round
from storage.store import open_store

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


class Follower(Alone):
    """One of several coordinators; it leads once it was asked so often whether it does."""

    def __init__(self, leads_after: int) -> None:
        self._left = leads_after

    @property
    def leads(self) -> bool:  # type: ignore[override]
        self._left -= 1
        return self._left < 0


async def help_with_round(path, status, leads_after):
    """Whether a driver that does not lead found the round closed, and the rounds that are then
    stored."""
    recipe = Recipe(rounds=(RoundConfig(),))
    async with open_store(f"sqlite:///{path}") as store:
        await store.commit(run_row(recipe))
        if status is not None:
            await store.commit(Round("run", 0, status, ""))
        driver = Driver(recipe, store, runner=None, membership=Follower(leads_after))
        closed = await driver._help(0)
        return closed, [round_.status for round_ in await store.read(queries.rounds_of, "run")]


async def test_one_that_does_not_lead_leaves_opening_and_closing_rounds_to_the_leader(tmp_path):
    path = tmp_path / "s.db"
    assert await help_with_round(path, None, leads_after=3) == (False, [])
    assert await help_with_round(path, "searching", leads_after=3) == (False, ["searching"])


async def test_it_goes_on_to_the_next_round_when_the_leader_has_closed_one(tmp_path):
    assert await help_with_round(tmp_path / "s.db", "closed", leads_after=9) == (True, ["closed"])
