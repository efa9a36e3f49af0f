"""An export that somebody changed is read back, or refused in one line that names the line."""

import json

import pytest

from rstar_async.cli.main import main
from tests.storage.released import fill_store

ODD = {
    "half a character": '"\\ud800"',
    "NUL": '"a\\u0000b"',
    "a turn of the writing": '"\\u202e"',
    "a megabyte": json.dumps("x" * 1_000_000),
    "null": "null",
    "NaN": "NaN",
    "infinity": "1e999",
    "2^63": str(2**63),
    "below zero": "-1",
    "5,000 digits": "1" * 5_000,
    "a great depth": "[" * 100_000 + "]" * 100_000,
    "an object": '{"a": 1e999}',
    "a list": "[99999999999999]",
    "true": "true",
}
TABLES = ["runs", "searches", "nodes", "model_versions"]


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    fill_store(f"sqlite:///{folder}/rstar.db")
    assert main(["db", "export", str(folder), str(folder / "all")]) == 0
    return folder / "all"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """One for all, since making one takes longer than an import."""
    return tmp_path_factory.mktemp("imported") / "rstar.db"


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("odd", ODD)
def test_every_field_of_every_table_takes_it_or_names_the_line(
    tmp_path, capsys, exported, store, table, odd
):
    folder = tmp_path / "all"
    folder.mkdir()
    manifest = json.loads((exported / "export.json").read_text())
    manifest["rows"] = {table: 1}
    (folder / "export.json").write_text(json.dumps(manifest))
    first = json.loads((exported / f"{table}.jsonl").read_text().splitlines()[0])
    for field in first:
        line = json.dumps({**first, field: "@"}).replace('"@"', ODD[odd])
        (folder / f"{table}.jsonl").write_text(line + "\n")
        capsys.readouterr()
        code = main(["db", "import", str(store), str(folder)])
        said = capsys.readouterr().err
        assert code in (0, 2), field
        if code == 2:
            assert f"{table}.jsonl line" in said, field
            assert said.count("\n") == 1
            assert len(said) < 2_000
