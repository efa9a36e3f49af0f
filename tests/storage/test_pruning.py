"""Pruning takes words, never numbers, and no word that a model may have learnt from."""

import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from storage import queries
from storage.database import open_database
from storage.maintenance import pruning
from storage.maintenance.integrity import check
from storage.maintenance.pruning import Selection
from storage.queries.dashboard_trees import PairWithNodes
from storage.records import RoundProgress
from tests.storage.released import fill_store

PATHS = st.lists(st.lists(st.integers(1, 4), max_size=5).map(lambda p: ".".join(map(str, [0, *p]))))


@given(PATHS)
def test_needed_is_what_was_taught_and_the_way_to_it(paths):
    with_ancestors = pruning.with_ancestors(paths)
    assert set(paths) <= with_ancestors
    assert {path.rpartition(".")[0] for path in with_ancestors} - {""} <= with_ancestors
    assert all(any(f"{one}.".startswith(f"{path}.") for one in paths) for path in with_ancestors)


def numbers(node):
    words = dict.fromkeys(pruning.TEXTS, "") | dict.fromkeys(pruning.TOKENS, ())
    return type(node)(**{**{f: getattr(node, f) for f in node.__struct_fields__}, **words})


def everything(database):
    found = database.read(pruning.searches_to_prune, Selection())
    return found, {search: database.read(queries.nodes_of, search) for search in found}


def paths(database):
    """What the trainer reads of the round: solutions by their words, and both sides of pairs."""
    solutions = database.read(queries.trajectories_of, "real", 1)
    pairs: list[PairWithNodes] = database.read(queries.pair_page, "real", 1, limit=100)
    ways = [(one.search_id, one.path) for one in solutions]
    ways += [(p.pair.search_id, path) for p in pairs for path in (p.chosen.path, p.rejected.path)]
    return solutions, pairs, [database.read(queries.steps_to, *way) for way in ways]


def test_numbers_and_what_was_taught_stay_and_other_words_go(real_run):
    with open_database(real_run) as database:
        searches, before = everything(database)
        lessons, report = paths(database), database.read(queries.round_report, "real", 1)
        promised = [database.read(pruning.prunable_texts, search) for search in searches]
        done = [database.change(pruning.prune, search) for search in searches]
        assert done == promised
        assert sum(words.unused for words in done) > 5
        after = {search: database.read(queries.nodes_of, search) for search in searches}
        for search, words in zip(searches, done, strict=True):
            changed = [a for a, b in zip(after[search], before[search], strict=True) if a != b]
            assert len(changed) == words.unused
            assert [numbers(n) for n in after[search]] == [numbers(n) for n in before[search]]
            assert all(node == numbers(node) for node in changed)
        assert paths(database) == lessons
        assert database.read(queries.round_report, "real", 1) == report
        assert [found for found in database.read(check) if found.offenders] == []
        assert database.read(queries.search_by_id, searches[0]).pruned_at is not None
        assert database.read(pruning.searches_to_prune, Selection()) == []
        assert database.change(pruning.prune, searches[0]).unused == 0


def test_what_is_to_be_pruned_can_be_chosen_and_open_rounds_never_are(real_run):
    def chosen(**wanted):
        return database.read(pruning.searches_to_prune, Selection(**wanted))

    with open_database(real_run) as database:
        everywhere = chosen()
        assert len(everywhere) == 5
        assert chosen(run_id="real", rounds=[1], status="finished") == everywhere
        assert chosen(purpose="train") + chosen(purpose="evaluation") != []
        assert len(chosen(purpose="evaluation")) == 1
        assert chosen(status="failed") == chosen(rounds=[0]) == chosen(run_id="other") == []
        database.commit(RoundProgress("real", 1, "trained"))
        assert chosen() == []


def pages(connection):
    return connection.exec_driver_sql("PRAGMA page_count").scalar()


def test_a_file_can_be_made_smaller(tmp_path):
    file = tmp_path / "store.db"
    fill_store(f"sqlite:///{file}")
    long = sa.text("UPDATE nodes SET stdout = hex(zeroblob(20000))")
    with open_database(str(file)) as database:
        database.change(lambda connection: connection.execute(long))
        for search in database.read(pruning.searches_to_prune, Selection()):
            database.change(pruning.prune, search)
        before = database.read(pages)
        database.shrink()
        assert database.read(pages) < before - 50
        assert file.stat().st_size < 4096 * before
        assert [found for found in database.read(check) if found.offenders] == []
