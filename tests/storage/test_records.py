"""Whatever a model, a program or a user wrote comes back as it was, on both databases."""

import itertools

import hypothesis.strategies as st
import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings

from storage import statements
from storage.column_types import Choice, Flag, Integer, Json, Real, Tokens, UntrustedText
from storage.database import open_database
from storage.queries.select import select_one
from storage.records import (
    Evaluation,
    EvaluationAnswer,
    Expansion,
    ModelVersion,
    Node,
    Pair,
    Problem,
    Round,
    Run,
    Search,
    content_id,
    problem_id,
)
from tests.storage.examples import BASICS, node

ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=20) | st.text(
    st.sampled_from("\x00\ud800\udfff\U0010fffdé00")
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=6,
)
VALUES = {
    UntrustedText: ANY_TEXT,
    Flag: st.booleans(),
    Tokens: st.lists(st.integers(-(2**31), 2**31 - 1), max_size=9).map(tuple),
    Json: st.dictionaries(
        ANY_TEXT, JSON.filter(lambda value: "inf" not in repr(value)), max_size=3
    ),
    sa.Text: st.text(st.characters(codec="ascii", exclude_characters="\x00"), max_size=9),
    type(Integer): st.integers(-(2**63), 2**63 - 1),
    type(Real): st.floats(allow_nan=False),
}
FIXED = {"run_id": "trial", "problem_id": "p1", "search_id": "s1", "round": 1}
FIXED |= {"chosen_path": "0", "rejected_path": "0", "evaluation_id": "e1"}
KEYS = {
    Run: ("id", "run-{}"),
    Problem: ("id", "problem-{}"),
    Search: ("id", "search-{}"),
    ModelVersion: ("id", "model-{}"),
    Evaluation: ("id", "evaluation-{}"),
    Node: ("path", "0.{}"),
    Round: ("number", None),
    Expansion: ("number", None),
    EvaluationAnswer: ("sample", None),
}
EVALUATION = Evaluation("e1", "trial", 1, "greedy", "hand", "m", None, 1, 1, 1, 1.0, 0.5, 1.0)


def some_record(kind):
    """Any record of a kind, but for what must refer to other records and for its key."""
    columns = {column.name: column for column in statements.columns(kind)}
    columns.pop(KEYS.get(kind, ("weight",))[0])
    return st.fixed_dictionaries(
        {
            name: st.just(FIXED[name]) if name in FIXED else some_value(column)
            for name, column in columns.items()
        }
    )


def some_value(column):
    if isinstance(column.type, Choice):
        values = st.sampled_from(column.type.words)
    else:
        values = VALUES[type(column.type)]
    return values | st.none() if column.nullable else values


@pytest.fixture
def database(url):
    with open_database(url) as opened:
        opened.commit(*BASICS, node("0", "root"), EVALUATION)
        yield opened


NUMBERS = itertools.count(2)


@pytest.mark.parametrize("kind", KEYS, ids=lambda kind: kind.__name__)
def test_a_record_read_back_equals_the_one_written(database, kind):
    key, pattern = KEYS[kind]

    @settings(
        max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    @given(some_record(kind))
    def check(values):
        number = next(NUMBERS)
        values = {key: pattern.format(number) if pattern else number} | values
        record = kind(**values)
        database.commit(record)
        column = statements.FACTS[kind].c[key]
        assert database.read(select_one, kind, column == values[key]) == record

    check()


def test_a_pair_read_back_equals_the_one_written(database):
    pair = Pair("trial", 1, "s1", "0", "0", "trajectory", 0.25, "heldout")
    database.commit(pair)
    assert database.read(select_one, Pair) == pair


def test_every_fact_has_a_column_for_each_field():
    for kind, table in statements.FACTS.items():
        names = [field.name for field in msgspec.structs.fields(kind)]
        assert names == [column.name for column in table.columns if column.computed is None]


def test_ids_depend_on_content_alone():
    assert problem_id("run", "What?") == problem_id("run", "What?")
    assert problem_id("run", "What?") != problem_id("run", "What? ")
    assert content_id("a", "bc") != content_id("ab", "c")
    assert len(problem_id("run", "\ud800")) == 16
