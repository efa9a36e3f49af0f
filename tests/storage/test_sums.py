"""What is kept of a tree is what the tree says, and nobody can tell the difference but by time."""

import math
from itertools import product

import msgspec
import pytest
import sqlalchemy as sa

from storage import engines, queries
from storage.database import open_database
from storage.maintenance import pruning
from storage.maintenance.pruning import Selection
from storage.queries.dashboard import ProblemFilter
from storage.records import Expansion, Search, SearchProgress
from storage.sums.adding import error_kind
from storage.sums.histograms import BINS, bin_of
from storage.sums.keeping import keep_missing, sums_of
from storage.tables import search_sums
from tests.storage import released
from tests.storage.examples import BASICS, SEARCH, node, tree

FINISHED = SearchProgress("s1", "finished", 4, 2, "", True, "42", 1.0, 2.5, 1.5)


@pytest.fixture
def database(url):
    with open_database(url) as opened:
        opened.commit(*BASICS, *tree())
        yield opened


def kept(database):
    """The rows of sums by search."""
    rows = database.read(lambda connection: connection.execute(sa.select(search_sums)).mappings())
    return {row["search_id"]: dict(row) for row in rows}


def test_the_sums_of_a_search_are_kept_when_it_ends(database):
    assert kept(database) == {}
    database.commit(FINISHED)
    row = kept(database)["s1"]
    assert (row["expansions"], row["nodes"], row["new_tokens"]) == (2, 5, 70)
    assert (row["right_answers"], row["wrong_answers"], row["first_right"]) == (1, 1, 2)
    assert (row["best_right"], row["best_right_q"]) == ("0.1.1", 0.75)
    assert (row["worst_wrong"], row["worst_wrong_q"]) == ("0.1.2", -0.25)
    assert row["counts"]["status"] == {"live": 2, "code_error": 1, "answer": 2}
    assert row["counts"]["code"] == {"ok": 3, "exception": 1}
    assert row["counts"]["q right"] == {"19": 1}
    assert row == msgspec.structs.asdict(database.read(sums_of, "s1"))


def test_a_search_that_is_tried_again_replaces_its_sums(database):
    database.commit(msgspec.structs.replace(FINISHED, status="failed", solved=None))
    database.commit(msgspec.structs.replace(FINISHED, status="running", solved=None))
    more = node("0.2.1", "answer", expansion=3, correct=True, answer="42", visits=1, value_sum=1.0)
    database.commit(more, Expansion("s1", 3, "0.2", 7, 4, 1, 130, 90, 100, 40))
    assert database.read(queries.answer_counts, "trial", 1)[0].right == 2
    database.commit(msgspec.structs.replace(FINISHED, expansions=3))
    assert kept(database)["s1"]["right_answers"] == 2
    assert database.read(queries.answer_counts, "trial", 1)[0].right == 2


def test_sums_of_a_tree_that_is_not_whole_are_not_kept(database):
    database.commit(FINISHED)
    database.commit(node("0.2.1", "answer", expansion=2, correct=True, answer="42"))
    database.commit(FINISHED)
    assert kept(database) == {}
    assert database.read(queries.answer_counts, "trial", 1)[0].right == 2


def test_a_search_that_is_stored_before_its_tree_has_no_sums_until_that_is_whole(url):
    over = msgspec.structs.replace(SEARCH, status="finished", expansions=2, solved=True)
    with open_database(url) as database:
        database.commit(*BASICS[:-1], over)
        assert kept(database) == {}
        database.commit(*tree()[:4])
        assert keep_missing(database) == 1
        assert kept(database) == {}
        database.commit(*tree())
        assert keep_missing(database) == 1
        assert kept(database)["s1"]["nodes"] == 5
        assert keep_missing(database) == 0


def test_an_older_store_has_them_once_it_is_upgraded(blank_url):
    engine = engines.writer(engines.parse(blank_url))
    released.fill(engine, "0009")
    engine.dispose()
    with open_database(blank_url) as database:
        over = [s for s in all_searches(database) if s.status in ("finished", "failed")]
        grown = {search.id for search in over if database.read(queries.nodes_of, search.id)}
        assert len(grown) > 3
        assert kept(database).keys() == grown


def all_searches(database) -> list[Search]:
    return [
        search for number in (0, 1) for search in database.read(queries.searches_of, "real", number)
    ]


def figures(database):
    """Everything that is read from sums, of both purposes where there are two."""
    run = "real"
    found = [
        database.read(query, run, number, purpose)
        for query in (
            queries.round_report,
            queries.progress,
            queries.answer_counts,
            queries.problem_outcomes,
            queries.costs,
        )
        for number, purpose in product((0, 1), ("train", "evaluation"))
    ]
    found += [
        database.read(query, run, 1)
        for query in (
            queries.step_counts,
            queries.token_totals,
        )
    ]
    found += [
        database.read(queries.ranked_answers, run, 1, correct=correct, worst=worst)
        for correct, worst in product((True, False), (True, False))
    ]
    found += [
        database.read(queries.problem_page, run, ProblemFilter(), order)
        for order in ("late", "found", "tokens", "nodes")
    ]
    return found


def test_figures_are_the_same_with_and_without_them(real_run):
    with open_database(real_run) as database:
        assert kept(database) == {}
        before = figures(database)
        keep_missing(database)
        assert len(kept(database)) > 3
        assert figures(database) == before


def test_they_are_what_the_views_say(real_run):
    best = "SELECT search_id, {}(mean_q) FROM trajectories WHERE {} GROUP BY search_id"
    with open_database(real_run) as database:
        keep_missing(database)
        sums = kept(database)
        ways = product(("max", "min"), (("correct", "right"), ("NOT correct", "wrong")))
        for extreme, (which, side) in ways:
            query = sa.text(best.format(extreme, which))
            column = f"{'best' if extreme == 'max' else 'worst'}_{side}_q"
            for id_, mean_q in database.read(lambda c, query=query: c.execute(query).all()):
                assert sums[id_][column] == pytest.approx(mean_q)
        runs = sa.text("SELECT exec_status, sum(nodes) FROM code_outcomes GROUP BY exec_status")
        for status, nodes in database.read(lambda c: c.execute(runs).all()):
            assert (
                sum(row["counts"].get("code", {}).get(status, 0) for row in sums.values()) == nodes
            )


def test_errors_are_still_told_once_their_words_are_pruned(real_run):
    with open_database(real_run) as database:
        keep_missing(database)
        before = database.read(queries.step_counts, "real", 1).errors
        for search in database.read(pruning.searches_to_prune, Selection()):
            database.change(pruning.prune, search)
        assert database.read(queries.step_counts, "real", 1).errors == before


@pytest.mark.parametrize(
    ("value", "place"),
    [(-1.0, 0), (-0.91, 0), (-0.9, 1), (0.0, 10), (0.1, 11), (0.99, 19), (1.0, 19)],
)
def test_a_value_between_two_bins_belongs_to_the_upper_one(value, place):
    assert bin_of(value) == place < BINS


@pytest.mark.parametrize(
    ("value", "place"), [(-1.5, 0), (2.0, 19), (math.inf, 19), (-math.inf, 0), (math.nan, 0)]
)
def test_what_is_beyond_the_bins_is_counted_in_the_outermost(value, place):
    assert bin_of(value) == place


def test_an_error_with_an_endless_name_is_told_by_its_beginning():
    assert error_kind("exception", "E" * 1000 + ": no") == "E" * 100
    assert error_kind("exception", "") == "exception"
    assert error_kind("timeout", "Killed: 9") == "timeout"


def test_waits_of_a_long_time_are_read_from_sums_and_of_a_short_one_from_expansions(real_run):
    with open_database(real_run) as database:
        begin = min(search.started_at for search in all_searches(database) if search.started_at)

        def slices(length, count):
            return database.read(queries.waiting_slices, "real", begin - 10, length, count)

        fine, (whole,) = slices(0.01, 100_000), slices(1e6, 1)
        keep_missing(database)
        assert len(fine) > 10
        assert slices(0.01, 100_000) == fine
        (again,) = slices(1e6, 1)
        assert (again.expansions, again.new_tokens) == (whole.expansions, whole.new_tokens)
        assert again.generate_seconds == pytest.approx(whole.generate_seconds)
        assert again.execute_seconds == pytest.approx(whole.execute_seconds)
