from pathlib import Path

import sqlalchemy as sa

from storage import schema, tables, views
from storage.database import open_database
from storage.example_queries import EXAMPLES
from storage.records import Evaluation, ModelVersion, Pair
from tests.storage.examples import BASICS, tree

PAGE = Path(__file__).parents[2] / "docs" / "schema.md"


def test_the_page_is_the_one_the_tables_make():
    assert PAGE.read_text() == schema.markdown(), "run: python -m storage.schema > docs/schema.md"


def test_every_table_view_and_column_is_explained():
    for table in [*tables.metadata.tables.values(), *views.metadata.tables.values()]:
        assert table.comment
        assert [column.name for column in table.columns if not column.comment] == []


def test_the_views_have_the_columns_they_are_said_to_have(url):
    def columns_of(connection, view):
        return [*connection.execute(sa.text(f"SELECT * FROM {view.name}")).keys()]

    with open_database(url) as database:
        for view in views.metadata.tables.values():
            assert database.read(columns_of, view) == view.columns.keys()


def rows_of(connection, sql):
    return connection.execute(sa.text(sql)).all()


def test_every_question_has_an_answer(url):
    with open_database(url) as database:
        database.commit(
            *BASICS,
            *tree(),
            Pair("trial", 1, "s1", "0.1.1", "0.1.2", "step"),
            ModelVersion("m1", "trial", "policy", 1, "base", "models/m1", "published"),
            Evaluation("e", "trial", 1, "greedy", "hand", "m1", None, 2, 1, 1, 0.5, 0.1, 0.9),
        )
        for title, sql in EXAMPLES:
            assert database.read(rows_of, sql), title


def test_there_are_ten_questions():
    assert len(EXAMPLES) == 10
