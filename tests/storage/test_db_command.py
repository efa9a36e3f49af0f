"""`rstar db` as it is typed: what it prints, what it refuses, how it ends."""

import json

import pytest
import sqlalchemy as sa

from rstar_async.cli.main import main
from storage.database import open_database
from tests.storage.released import fill_store


@pytest.fixture
def file(tmp_path):
    fill_store(f"sqlite:///{tmp_path}/rstar.db")
    return tmp_path / "rstar.db"


def told(capsys, *words, code=0):
    capsys.readouterr()
    assert main(["db", *map(str, words), "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_upgrade_makes_a_store_and_says_so(tmp_path, capsys):
    assert main(["db", "upgrade", str(tmp_path / "new.db")]) == 0
    assert "new.db is up to date: schema" in capsys.readouterr().out
    assert told(capsys, "upgrade", tmp_path / "new.db")["database"].endswith("new.db")


def test_check_ends_with_1_and_names_what_is_wrong(file, capsys):
    assert main(["db", "check", str(file)]) == 0
    assert "is sound" in capsys.readouterr().out
    assert told(capsys, "check", file.parent)["sound"] is True
    with open_database(str(file)) as database:
        (search,) = database.change(break_a_search)
    assert main(["db", "check", str(file)]) == 1
    said = capsys.readouterr().out
    assert f"FAIL  a finished search has an outcome and no cursor\n        search {search}" in said
    answer = told(capsys, "check", file, code=1)
    assert answer["sound"] is False
    assert [f["examples"] for f in answer["findings"] if f["offenders"]] == [[f"search {search}"]]


def break_a_search(connection):
    one = "(SELECT min(id) FROM searches WHERE status = 'finished')"
    connection.execute(sa.text(f"UPDATE searches SET cursor = '0.1' WHERE id = {one}"))
    return connection.scalars(sa.text("SELECT id FROM searches WHERE cursor <> ''")).all()


def test_prune_shows_first_and_acts_when_told_to(file, capsys):
    before = file.read_bytes()
    shown = told(capsys, "prune", file, "--round", "1")
    assert shown["applied"] is False
    assert shown["nodes_pruned"] > 0
    assert file.read_bytes() == before
    assert told(capsys, "prune", file, "--apply", "--shrink") == {**shown, "applied": True}
    assert told(capsys, "prune", file)["searches"] == 0
    assert main(["db", "prune", str(file)]) == 0
    assert "nothing to prune" in capsys.readouterr().out
    assert main(["db", "prune", str(file), "--shrink"]) == 2


def test_export_and_import_are_each_others_inverse(file, tmp_path, capsys):
    assert main(["db", "export", str(file), str(tmp_path / "all")]) == 0
    assert "nodes" in capsys.readouterr().out
    assert main(["db", "import", str(tmp_path / "copy.db"), str(tmp_path / "all")]) == 0
    first, again = (
        told(capsys, "export", tmp_path / name, tmp_path / f"{name}-again")["rows"]
        for name in ("rstar.db", "copy.db")
    )
    assert first == again
    for name in ("nodes", "searches", "pairs"):
        one, other = (tmp_path / f"{db}-again" / f"{name}.jsonl" for db in ("rstar.db", "copy.db"))
        assert one.read_text() == other.read_text()


@pytest.mark.parametrize("action", [["check"], ["prune"], ["export", "folder"]])
def test_a_store_that_is_not_there_is_one_line(tmp_path, capsys, action, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["db", action[0], "nothing.db", *action[1:]]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "there is no run at nothing.db" in line
    assert list(tmp_path.iterdir()) == []
