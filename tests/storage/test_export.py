"""An export holds everything, can be read back into either database, and is safe to open."""

import csv
import json
import re

import pytest

from rstar_async.errors import BadInput
from storage import queries, statements
from storage.database import open_database
from storage.maintenance.export import export
from storage.maintenance.formats import without_formula
from storage.maintenance.imports import read_back
from storage.queries.select import select_all
from tests.storage.examples import BASICS, node
from tests.storage.released import fill_store

FORMULAS = ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", " =cmd|' /C calc'!A0", "\n=1", "\uff1d1"]
ODD = ["half \ud800", "null \0", "line\nbreak", '"quoted",', "\U0010fffd00000a", "'=x"]


def everything(database):
    def read(connection):
        return {
            kind: select_all(connection, kind, order=list(table.primary_key.columns))
            for kind, table in statements.FACTS.items()
        }

    return database.read(read)


@pytest.fixture
def filled(real_run):
    """A real run, and beside it texts that are meant to do harm."""
    with open_database(real_run) as database:
        hostile = [node(f"0.{i}", text=text) for i, text in enumerate([*FORMULAS, *ODD], 1)]
        database.commit(*BASICS, node("0", "root", expansion=0), *hostile)
        yield database


def test_what_was_exported_can_be_read_back_as_it_was(filled, blank_url, tmp_path):
    folder = tmp_path / "export"
    manifest = filled.read(export, folder, "jsonl")
    assert manifest.rows.keys() == {table.name for table in statements.FACTS.values()}
    with open_database(f"sqlite:///{tmp_path}/copy.db") as copy:
        assert read_back(copy, folder) == manifest.rows
        assert everything(copy) == everything(filled)
        assert read_back(copy, folder) == manifest.rows  # again: all is there already
        assert everything(copy) == everything(filled)


def test_sqlite_moves_to_postgresql(tmp_path, own_postgres_schema):
    fill_store(f"sqlite:///{tmp_path}/store.db")
    with (
        open_database(f"{tmp_path}/store.db") as old,
        open_database(own_postgres_schema) as new,
    ):
        old.read(export, tmp_path / "export", "jsonl")
        read_back(new, tmp_path / "export")
        assert everything(new) == everything(old)


def test_csv_holds_every_row_and_no_formula(filled, tmp_path):
    manifest = filled.read(export, tmp_path / "export", "csv", ["nodes", "trajectories"])
    with (tmp_path / "export" / "nodes.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == manifest.rows["nodes"] > 50
    texts = {row["path"]: row["text"] for row in rows if row["search_id"] == "s1"}
    for number, text in enumerate(FORMULAS, 1):
        assert texts[f"0.{number}"] == f"'{text}"
    assert not any(re.match(r"\s*[=+@\-]", row["text"]) for row in rows)
    assert texts["0.12"] == "line\nbreak"
    assert {row["tokens"] for row in rows if row["search_id"] == "s1"} == {"1 2 3"}


@pytest.mark.parametrize("number", ["-1", "= 1", "-2.5e3"])
def test_text_that_looks_like_a_number_is_text(number):
    assert without_formula(number) == f"'{number}"


def test_parquet_keeps_types(filled, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is in the extra `train`")
    manifest = filled.read(export, tmp_path / "export", "parquet")
    table = parquet.read_table(tmp_path / "export" / "nodes.parquet")
    assert table.num_rows == manifest.rows["nodes"]
    stored = {(n.search_id, n.path): n for n in everything(filled)[type(node("0"))]}
    for row in table.to_pylist():
        kept = stored[row["search_id"], row["path"]]
        assert tuple(row["tokens"]) == kept.tokens
        assert (row["visits"], row["correct"], row["prior"]) == (
            kept.visits, kept.correct, kept.prior,
        )  # fmt: skip


def test_an_export_is_complete_or_not_there(filled, tmp_path, monkeypatch):
    with pytest.raises(BadInput, match="no table 'secrets'; there are runs"):
        filled.read(export, tmp_path / "export", "jsonl", ["secrets"])
    (tmp_path / "file").write_text("x")
    with pytest.raises(BadInput, match="cannot write"):
        filled.read(export, tmp_path / "file" / "export", "jsonl")
    filled.read(export, tmp_path / "export", "jsonl", ["runs"])
    with pytest.raises(BadInput, match="exists already"):
        filled.read(export, tmp_path / "export", "jsonl")
    assert sorted(path.name for path in tmp_path.glob("*export*")) == ["export"]
    assert (tmp_path / "file").read_text() == "x"


def test_what_is_no_export_is_refused_with_its_place(tmp_path):
    fill_store(f"sqlite:///{tmp_path}/store.db")
    with open_database(f"{tmp_path}/store.db") as database:
        with pytest.raises(BadInput, match="was not made by `rstar db export`"):
            read_back(database, tmp_path)
        database.read(export, tmp_path / "csv", "csv")
        with pytest.raises(BadInput, match="only jsonl"):
            read_back(database, tmp_path / "csv")
        database.read(export, tmp_path / "good", "jsonl")
        with open_database(f"{tmp_path}/empty.db") as empty:
            lines = (tmp_path / "good" / "pairs.jsonl").read_text()
            (tmp_path / "good" / "pairs.jsonl").write_text(lines + '{"run_id": "real"}\n')
            with pytest.raises(BadInput, match=r"pairs.jsonl line 7: .*round"):
                read_back(empty, tmp_path / "good")
            (tmp_path / "good" / "pairs.jsonl").unlink()
            with pytest.raises(BadInput, match=r"cannot read .*pairs.jsonl: No such file"):
                read_back(empty, tmp_path / "good")
            assert empty.read(queries.runs) == []
            (tmp_path / "good" / "pairs.jsonl").write_text(lines)
            (tmp_path / "good" / "problems.jsonl").write_text("")
            with pytest.raises(BadInput, match=r"searches.jsonl lines 1 to 6: .*FOREIGN KEY"):
                read_back(empty, tmp_path / "good")
        manifest = tmp_path / "csv" / "export.json"
        told = json.loads(manifest.read_text()) | {"format": "jsonl", "revision": "0000"}
        manifest.write_text(json.dumps(told))
        with pytest.raises(BadInput, match="exported at schema 0000"):
            read_back(database, tmp_path / "csv")
        assert database.read(queries.run_by_id, "real") is not None


@pytest.mark.parametrize("name", ["../../thesis", "/etc", ".", "a/b", "", "a\0b"])
def test_a_model_whose_id_leads_out_of_its_folder_is_refused(filled, tmp_path, name):
    folder = tmp_path / "export"
    filled.read(export, folder, "jsonl")
    file = folder / "model_versions.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    rows[0]["id"] = name
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with (
        open_database(f"sqlite:///{tmp_path}/copy.db") as copy,
        pytest.raises(BadInput, match="is not a name"),
    ):
        read_back(copy, folder)
