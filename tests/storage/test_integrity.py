"""`check` finds nothing wrong with a real run's store, and whatever is then broken in it."""

import pytest
import sqlalchemy as sa

from rstar_async.errors import BadInput
from storage import engines
from storage.database import open_database
from storage.maintenance.integrity import check
from storage.maintenance.invariants import RULES
from storage.sums.keeping import keep_missing
from storage.tables import metadata
from tests.storage.released import fill_store

A_TREE = "(SELECT min(search_id) FROM pairs)"
A_ROUND = "run_id = 'real' AND number = 1"
# What to do to a sound store, and words of the rule that must then be broken.
DAMAGE = {
    f"DELETE FROM expansions WHERE search_id = {A_TREE} AND number = 1": "made by an expansion",
    f"UPDATE nodes SET depth = 5 WHERE search_id = {A_TREE} AND path = '0.1'": "path, depth",
    f"UPDATE nodes SET visits = visits + 1 WHERE search_id = {A_TREE} AND path = '0'": "add up",
    f"UPDATE nodes SET value_sum = 0.5 WHERE search_id = {A_TREE} AND path = '0'": "add up",
    f"UPDATE expansions SET unique_samples = 9 WHERE search_id = {A_TREE}": "as many nodes",
    f"UPDATE expansions SET path = '0.9' WHERE search_id = {A_TREE} AND number = 1": "as many",
    "UPDATE searches SET expansions = expansions + 1": "without a gap",
    "UPDATE searches SET cursor = '0.1' WHERE status = 'finished'": "no cursor",
    "UPDATE searches SET solved = NULL": "has an outcome",
    "UPDATE searches SET solved = (solved = (1 = 0))": "has a right answer",
    "UPDATE searches SET status = 'running' WHERE purpose = 'train'": "no unfinished training",
    f"UPDATE rounds SET trained_at = NULL WHERE {A_ROUND}": "times agree",
    f"UPDATE rounds SET policy_id = 'unknown' WHERE {A_ROUND}": "were published",
    "UPDATE model_versions SET status = 'refused' WHERE round = 0": "were published",
    "UPDATE problems SET split = 'heldout'": "held-out problem",
    f"UPDATE pairs SET kind = 'step' WHERE search_id = {A_TREE}": "of siblings",
    "UPDATE searches SET purpose = 'evaluation'": "its round's own trees",
    "UPDATE search_sums SET nodes = nodes + 1": "what is kept of a tree",
    "UPDATE evaluations SET correct = 1000": "figures are possible",
    "UPDATE searches SET status = 'failed' WHERE purpose = 'evaluation'": "counts a search that",
    "UPDATE evaluation_answers SET answer = '', text = ''": "counts a search that",
    "UPDATE searches SET status = 'waiting'": "a waiting one has no nodes",
    "DELETE FROM nodes WHERE status = 'live' AND (search_id, path) IN "
    "(SELECT search_id, parent FROM nodes WHERE depth > 1)": "has a parent",
}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def engine(request, tmp_path_factory):
    """Of a store with part of a real run in it."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('real')}/store.db"
    else:
        url = request.getfixturevalue("own_postgres_schema")
    fill_store(url)
    with open_database(url) as database:
        keep_missing(database)
    engine = engines.writer(engines.parse(url))
    yield engine
    engine.dispose()


def broken_after(engine, damage):
    """What is found after `damage`, which is then taken back."""
    with engine.connect() as connection:
        connection.execute(sa.text(damage))
        findings = check(connection)
        connection.rollback()
    return [found for found in findings if found.offenders]


def test_a_real_run_left_a_sound_store(engine):
    told = []
    with engine.connect() as connection:
        findings = check(connection, told.append)
    assert [found for found in findings if found.offenders] == []
    assert len(findings) >= len(RULES)
    assert told == findings


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_is_broken_is_found_and_named(engine, damage):
    named = [found for found in broken_after(engine, damage) if DAMAGE[damage] in found.rule]
    assert len(named) == 1
    assert 0 < len(named[0].examples) <= named[0].offenders


@pytest.mark.parametrize("time", ["searched_at", "trained_at", "closed_at"])
def test_a_clock_that_was_set_back_breaks_nothing(engine, time):
    assert broken_after(engine, f"UPDATE rounds SET {time} = {time} - 86400 WHERE {A_ROUND}") == []


def test_every_rule_can_be_broken():
    assert [
        rule for rule in RULES if not any(said in rule.statement for said in DAMAGE.values())
    ] == []


def read_all(connection):
    return [connection.execute(table.select()).all() for table in metadata.tables.values()]


def test_a_torn_file_is_said_to_be_torn(tmp_path):
    file = tmp_path / "torn.db"
    fill_store(f"sqlite:///{file}")
    page = file.read_bytes().find(b"<end_of_step>") // 4096
    with file.open("r+b") as torn:
        torn.seek(page * 4096)
        torn.write(b"\xa5" * 4096)
    with open_database(str(file)) as database:
        (found,) = database.read(check)
        assert found.rule == "the file is whole"
        assert found.offenders
        with pytest.raises(BadInput, match=r"is damaged .* restore a copy"):
            database.read(read_all)
