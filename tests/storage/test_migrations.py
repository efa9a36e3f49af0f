import sqlite3

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from rstar_async.errors import BadInput
from storage import engines, migrations, tables
from storage.database import open_database
from storage.maintenance.integrity import check
from tests.storage import released
from tests.storage.examples import BASICS, tree


def test_the_steps_lead_to_the_tables_of_the_code(blank_url):
    migrations.upgrade(blank_url)
    engine = engines.reader(engines.parse(blank_url), 1)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": migrations.VERSION_TABLE, "compare_type": True}
        )
        assert compare_metadata(context, tables.metadata) == []
    engine.dispose()


@pytest.mark.parametrize("revision", released.REVISIONS)
def test_data_of_every_revision_is_carried_over(blank_url, revision):
    """A real run's rows as that revision wrote them: none is lost or changed, all are sound."""
    engine = engines.writer(engines.parse(blank_url))
    released.fill(engine, revision)
    before = stored_rows(engine, revision)
    with open_database(blank_url) as database:
        assert stored_rows(engine, revision) == before
        assert sum(map(len, before.values())) >= 114
        assert [f for f in database.read(check) if f.offenders] == []
        database.commit(*BASICS, *tree())
    engine.dispose()


def test_the_reason_of_a_failed_search_moves_to_a_column_of_its_own(blank_url):
    engine = engines.writer(engines.parse(blank_url))
    released.fill(engine, "0005")
    released.upgrade_to(engine, "0006")
    query = "SELECT answer, failure FROM searches WHERE status = 'failed' OR failure <> ''"
    with engine.connect() as connection:
        (row,) = connection.execute(sa.text(query))
    engine.dispose()
    assert tuple(row) == ("", "dead: three workers died of it")


def test_closed_rounds_keep_the_seconds_that_their_times_said(blank_url):
    engine = engines.writer(engines.parse(blank_url))
    released.fill(engine, "0006")
    released.upgrade_to(engine, "0007")
    query = "SELECT status, seconds, closed_at - started_at FROM rounds"
    with engine.connect() as connection:
        rows = connection.execute(sa.text(query)).all()
    engine.dispose()
    assert any(status == "closed" for status, _, _ in rows)
    for status, seconds, difference in rows:
        assert seconds == (difference if status == "closed" else None)


def test_paths_of_models_become_relative_to_the_folder_of_the_run(blank_url):
    engine = engines.writer(engines.parse(blank_url))
    released.fill(engine, "0007")
    move = "UPDATE model_versions SET path = {path} WHERE kind = 'ppm'"
    with engine.begin() as connection:
        connection.execute(sa.text(move.format(path="'/there/run/models/' || id")))
    released.upgrade_to(engine, "0008")
    with engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT id, path FROM model_versions")).all()
    engine.dispose()
    assert len(rows) == 3
    assert all(path == f"models/{version}" for version, path in rows)


def stored_rows(engine, revision):
    """Of each table the columns that were written up to `revision`, a failure as an answer, paths
    of models as the newest revision has them."""
    now = {column["name"] for column in sa.inspect(engine).get_columns("searches")}
    kept = {
        ("searches", "answer"): "answer || failure" if "failure" in now else "answer",
        ("model_versions", "path"): "CASE path WHEN '' THEN '' ELSE 'models/' || id END",
    }
    columns = {
        name: ", ".join(kept.get((name, c), c) for c in row)
        for step in released.REVISIONS[: released.REVISIONS.index(revision) + 1]
        for name, row in released.rows_of(step)
    }
    with engine.connect() as connection:
        return {
            name: sorted(map(repr, connection.execute(sa.text(f"SELECT {names} FROM {name}"))))
            for name, names in columns.items()
        }


def test_an_interrupted_upgrade_leaves_nothing(blank_url):
    def upgrade_and_stop(engine):
        with engine.begin() as connection:
            config = migrations._config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            raise KeyboardInterrupt

    engine = engines.writer(engines.parse(blank_url))
    with pytest.raises(KeyboardInterrupt):
        upgrade_and_stop(engine)
    with engine.connect() as connection:
        assert sa.inspect(connection).get_table_names() == []
    engine.dispose()


def refusal(location, **options):
    with pytest.raises(BadInput) as raised, open_database(str(location), **options):
        pass
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_a_newer_store_is_refused(blank_url):
    migrations.upgrade(blank_url)
    engine = engines.writer(engines.parse(blank_url))
    with engine.begin() as connection:
        connection.execute(sa.text(f"UPDATE {migrations.VERSION_TABLE} SET version_num = '9999'"))
    engine.dispose()
    said = refusal(blank_url)
    assert "newer rstar_async" in said
    assert "9999" in said
    assert migrations.latest() in said


def test_somebody_elses_database_is_refused_and_left_alone(blank_url):
    plain = engines.parse(blank_url)
    engine = sa.create_engine(plain)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE recipes (cake TEXT)"))
    engine.dispose()
    before = plain.database and plain.get_backend_name() == "sqlite" and read_bytes(plain.database)
    assert "is not a store of rstar_async: it holds recipes" in refusal(blank_url)
    if before:
        assert read_bytes(plain.database) == before


def read_bytes(path):
    with open(path, "rb") as file:
        return file.read()


def test_a_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("hello\n" * 100)
    said = refusal(tmp_path / "notes.txt")
    assert "notes.txt" in said
    assert "not a database" in said
    assert (tmp_path / "notes.txt").read_text() == "hello\n" * 100


def test_a_folder_is_no_store(tmp_path):
    assert f"cannot open the store {tmp_path}" in refusal(tmp_path)


def test_a_missing_folder_is_named(tmp_path):
    said = refusal(tmp_path / "nowhere" / "store.db")
    assert f"the folder '{tmp_path}/nowhere'" in said


def test_a_store_that_must_exist_is_not_made(tmp_path):
    assert f"no store at {tmp_path}/store.db" in refusal(tmp_path / "store.db", must_exist=True)
    assert list(tmp_path.iterdir()) == []
    with open_database(str(tmp_path / "store.db")):
        pass
    with open_database(str(tmp_path / "store.db"), must_exist=True):
        pass


@pytest.mark.parametrize(
    "location", ["mysql://host/x", "sqlite://", "sqlite:///:memory:", "", "wrong://", "http://x y"]
)
def test_what_is_no_location_of_a_store_is_refused(location):
    refusal(location)


def test_a_password_is_not_shown():
    said = refusal("postgresql://me:secret@127.0.0.1:1/x")
    assert "secret" not in said
    assert "127.0.0.1:1/x" in said


@pytest.mark.parametrize("name", ["store.db", "a b%20c?d#e.db", "ü.db"])
def test_a_bare_path_is_a_sqlite_file(tmp_path, name):
    with open_database(str(tmp_path / name)) as database:
        database.commit(*BASICS)
    connection = sqlite3.connect(tmp_path / name)
    assert connection.execute("SELECT id FROM runs").fetchall() == [("trial",)]
    connection.close()
