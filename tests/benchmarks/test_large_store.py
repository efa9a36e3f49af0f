"""The generated store is one that a run might have left, on either database."""

import os

import pytest
import sqlalchemy as sa

from benchmarks.large_store import filling, templates
from benchmarks.large_store.commands import run_command
from benchmarks.large_store.size import size_of
from benchmarks.own_schema import own_schema
from benchmarks.store.synthetic import recipe_in
from storage import queries
from storage.database import open_database
from storage.maintenance.integrity import check
from storage.sums.keeping import keep_missing


@pytest.fixture(params=["sqlite", "postgresql"])
def recipe(request, tmp_path, monkeypatch):
    """Of a run with three rounds over 24 problems; small trees, few of them in flight."""
    monkeypatch.setattr(templates, "GROWN", 3)
    monkeypatch.setattr(templates, "NODES_PER_TREE", 40)
    monkeypatch.setattr(filling, "IN_FLIGHT", 4)
    monkeypatch.setattr(filling, "UNDER_WAY", 8)
    if request.param == "sqlite":
        yield recipe_in(tmp_path, 24, rounds=3)
    elif server := os.environ.get("RSTAR_TEST_POSTGRES"):
        with own_schema(server) as url:
            yield recipe_in(tmp_path, 24, rounds=3, database=url)
    else:
        pytest.skip("RSTAR_TEST_POSTGRES names no PostgreSQL server")


@pytest.fixture
def database(recipe):
    recipe.home_folder.mkdir()
    with open_database(recipe.database_url) as opened:
        filling.fill(opened, recipe)
        yield opened


def test_it_is_a_run_in_the_middle_of_its_last_round(recipe, database):
    rounds = database.read(queries.rounds_of, recipe.name)
    assert [each.status for each in rounds] == ["closed", "closed", "closed", "searching"]
    counts = database.read(queries.progress, recipe.name, 3)
    assert (counts.running, counts.finished + counts.running) == (8, counts.searches)
    first, second = (database.read(queries.round_report, recipe.name, n) for n in (1, 2))
    assert first.nodes > 24 * 40
    assert sum(second.pairs.values()) > 24
    assert counts.waiting == 0
    assert database.read(queries.pair_counts, recipe.name, 3) == {}


def test_no_rule_is_broken_in_it(database):
    assert keep_missing(database) > 50
    assert [found.rule for found in database.read(check) if found.offenders] == []


def test_trees_in_flight_lie_beside_one_another(recipe, database):
    """As one expansion after another was committed."""
    if database.read(lambda connection: connection.dialect.name) != "sqlite":
        pytest.skip("rows of PostgreSQL have no numbers")
    query = "SELECT search_id, expansion FROM nodes ORDER BY rowid DESC LIMIT 400"
    rows = database.read(lambda connection: connection.execute(sa.text(query)).all())
    wave = rows[:100]
    assert len({search for search, _ in wave}) == 4


def test_its_size_is_told(database):
    size = database.read(size_of)
    assert size.nodes > 3000
    assert 100 < size.bytes / size.nodes < 2000


def test_a_command_is_measured_and_a_failed_one_raises(tmp_path):
    spent = run_command("settings")
    assert spent.seconds > 0
    assert spent.peak_mib > 5
    with pytest.raises(Exception, match="exit status"):
        run_command("report", str(tmp_path / "nothing"))
