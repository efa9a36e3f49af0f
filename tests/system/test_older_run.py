"""A run of an older version, stopped by SIGINT in the middle of a search, goes on with this one.

`older_run/` holds the rows of its store at schema 0005, its recipe and the recipe as it was stored;
`{home}` stands for its folder. Its policy is the demo's checkpoint, which comes with the package.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rstar_async.cli.main import main
from rstar_async.evaluation.models import find_models
from rstar_async.models.sources import DEMO_CHECKPOINT
from storage import engines, queries
from storage.database import open_database
from storage.maintenance.integrity import check
from tests.storage import released

OLDER_RUN = Path(__file__).parent / "older_run"
REVISION = "0005"
RUN = "old"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The folder of the run as the older version left it."""
    folder = tmp_path / "home"
    for name in ("rows.jsonl", "recipe.json", "recipe.toml"):
        text = (OLDER_RUN / name).read_text().replace("{home}", str(folder))
        (tmp_path / name).write_text(text)
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    (policy,) = [row for table, row in rows if table == "model_versions"]
    shutil.copytree(DEMO_CHECKPOINT, policy["path"])
    (Path(policy["path"]) / "manifest.json").write_text(policy["manifest"])
    shutil.move(tmp_path / "recipe.json", folder)
    engine = engines.writer(engines.parse(str(folder / "rstar.db")))
    released.upgrade_to(engine, REVISION)
    released.insert(engine, rows)
    engine.dispose()
    return folder


def test_its_store_is_upgraded_and_reported(home, tmp_path, capsys):
    assert main(["report", str(home), "--json", str(tmp_path / "report.json")]) == 0
    assert f"run {RUN}" in capsys.readouterr().out
    rounds = json.loads((tmp_path / "report.json").read_text())["rounds"]
    figures = [(r["row"]["problems"], r["row"]["nodes"], r["row"]["tokens"]) for r in rounds]
    assert figures == [(None, None, None), (5, 78, 1341)]
    with open_database(str(home / "rstar.db")) as database:
        assert [finding for finding in database.read(check) if finding.offenders] == []


def test_its_models_are_found_where_it_was_moved_to(home, tmp_path, capsys):
    moved = tmp_path / "elsewhere"
    home.rename(moved)
    with open_database(str(moved / "rstar.db")) as database:
        (policy,) = database.read(queries.model_versions_of, RUN)
    assert policy.path == f"models/{policy.id}"
    assert find_models(moved).policy == policy.id
    for place in (moved, moved / "rstar.db"):
        assert main(["models", str(place), "show", policy.id]) == 1
        assert "config.json has changed" in capsys.readouterr().out  # the demo's today


@pytest.mark.slow
def test_it_resumes_to_its_end_and_keeps_what_it_had(home, tmp_path):
    with open_database(str(home / "rstar.db")) as database:
        before = trees(database)
        (running,) = database.read(queries.searches_of, RUN, 1, status="running")
    command = [sys.executable, "-m", "rstar_async.cli", "run", str(tmp_path / "recipe.toml")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=420, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    with open_database(str(home / "rstar.db")) as database:
        after = trees(database)
        assert {r.status for r in database.read(queries.rounds_of, RUN)} == {"closed"}
        assert {s.status for s in database.read(queries.searches_of, RUN, 1)} == {"finished"}
        assert [finding for finding in database.read(check) if finding.offenders] == []
    assert all(after[search][: len(nodes)] == nodes for search, nodes in before.items())
    assert len(after[running.id]) > len(before[running.id])


def trees(database):
    """The steps of every training tree in the order they were made."""
    searches = database.read(queries.searches_of, RUN, 1, "train")
    return {
        search.id: [(node.path, node.text, node.seed) for node in nodes]
        for search in searches
        if (nodes := database.read(queries.nodes_of, search.id))
    }
