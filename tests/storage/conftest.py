"""`url`: a store without records, `blank_url`: a place without a store; on each database.

PostgreSQL is tested where RSTAR_TEST_POSTGRES names a database that may be written to, such as
postgresql://user@127.0.0.1:5432/postgres; the tests use schemas of their own in it.
"""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from storage import migrations
from storage.tables import metadata
from tests.storage import released


@contextmanager
def own_schema() -> Iterator[str]:
    server = os.environ.get("RSTAR_TEST_POSTGRES")
    if not server:
        pytest.skip("RSTAR_TEST_POSTGRES names no PostgreSQL server")
    schema = f"rstar_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}".encode())
        own = sa.make_url(server).update_query_dict({"options": f"-csearch_path={schema}"})
        yield own.render_as_string(hide_password=False)
        connection.execute(f"DROP SCHEMA {schema} CASCADE".encode())


@pytest.fixture(scope="session")
def postgres_store() -> Iterator[str]:
    with own_schema() as url:
        migrations.upgrade(url)
        yield url


@pytest.fixture(scope="module")
def own_postgres_schema() -> Iterator[str]:
    with own_schema() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store.db"
    store: str = request.getfixturevalue("postgres_store")
    with psycopg.connect(store, autocommit=True) as connection:
        tables = ", ".join(metadata.tables)
        connection.execute(f"TRUNCATE {tables}".encode())
    return store


@pytest.fixture(params=["sqlite", "postgresql"])
def blank_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/store.db"
    else:
        with own_schema() as url:
            yield url


@pytest.fixture
def real_run(blank_url: str) -> str:
    """A store with part of a real run in it."""
    released.fill_store(blank_url)
    return blank_url
