"""`url`: an empty store on each database.

PostgreSQL is tested where RSTAR_TEST_POSTGRES names a database that may be written to, such as
postgresql://user@127.0.0.1:5432/postgres; each test uses a schema of its own in it.
"""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/store.db"
        return
    server = os.environ.get("RSTAR_TEST_POSTGRES")
    if not server:
        pytest.skip("RSTAR_TEST_POSTGRES names no PostgreSQL server")
    schema = f"rstar_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}".encode())
        own = sa.make_url(server).update_query_dict({"options": f"-csearch_path={schema}"})
        yield own.render_as_string(hide_password=False)
        connection.execute(f"DROP SCHEMA {schema} CASCADE".encode())
