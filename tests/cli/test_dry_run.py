"""`rstar run --dry-run` starts nothing and says what a run would take."""

import json

import pytest

from rstar_async.cli.dry_run import Machine, warnings
from rstar_async.cli.main import main
from rstar_async.config import Recipe
from rstar_async.config.loader import as_toml_values
from rstar_async.launch.home import prepare_home
from rstar_async.planning.processes import ProcessMemory
from storage.database import open_database
from storage.records import Run

GIB = 2**30
SERVING = ProcessMemory("inference", 1, 10 * GIB, on_card=True)
TRAINING = [
    ProcessMemory("trainer, policy", 1, 12 * GIB, on_card=True),
    ProcessMemory("trainer, PPM", 1, 13 * GIB, on_card=True),
]


def said(machine: Machine, *processes: ProcessMemory, disk: int = 0, heldout: int = 1) -> list[str]:
    return list(warnings(machine, processes, disk, heldout=heldout))


def test_the_two_trainings_are_never_at_once():
    assert said(Machine(GIB, GIB, [24 * GIB]), SERVING, *TRAINING) == []
    (warning,) = said(Machine(GIB, GIB, [22 * GIB]), SERVING, *TRAINING)
    assert warning.startswith("the processes need 23.0 GiB at once and its GPUs have 22.0 GiB")


def test_memory_disk_and_a_run_that_measures_nothing_are_warned_of():
    machine = Machine(GIB, GIB, [])
    on_cpu = ProcessMemory("inference", 2, GIB)
    assert "this machine has 1.0 GiB" in said(machine, on_cpu)[0]
    assert "of disk" in said(machine, disk=2 * GIB)[0]
    assert "--problems.heldout N" in said(machine, heldout=0)[0]


@pytest.fixture
def problems(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [{"question": f"{n} + 1?", "answer": str(n + 1)} for n in range(10)]
    (tmp_path / "p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return "p.jsonl"


def test_it_tells_origins_counts_and_sizes_and_writes_nothing(problems, tmp_path, capsys):
    words = ["run", "--model", "demo", "--problems", problems, "--rounds", "2", "--seed", "9"]
    assert main([*words, "--dry-run", "--no-probe"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "seed 9 (command line)" in told
    assert "bootstrap.kind checkpoint (follows from the model)" in told
    assert "rounds 2 rounds (command line)" in told
    assert "8 to search in 2 rounds, 2 held out" in told
    assert "demo: 1.0 million parameters" in told
    assert [file.name for file in tmp_path.iterdir()] == ["p.jsonl"]


def test_of_a_run_that_exists_only_what_is_not_a_default_is_listed(problems, tmp_path, capsys):
    recipe = Recipe(home=str(tmp_path / "runs" / "run"), seed=9)
    prepare_home(recipe)
    with open_database(recipe.database_url) as database:
        database.commit(Run("run", as_toml_values(recipe), 9, ""))
    assert main(["run", "--problems", problems, "--dry-run", "--no-probe"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "seed 9 (the run, as it was started)" in told
    assert "problems.source p.jsonl (command line)" in told
    assert "search.rollouts" not in told


def test_bad_input_is_refused_as_by_the_run_itself(problems, capsys):
    assert main(["run", "--model", "/nowhere", "--problems", problems, "--dry-run"]) == 2
    assert "there is no folder /nowhere" in capsys.readouterr().err


def test_presets_mark_what_is_a_default(capsys):
    assert main(["presets", "--search.rollouts", "3"]) == 0
    (line,) = [one for one in capsys.readouterr().out.splitlines() if " rounds.rollouts " in one]
    cells = [cell.strip() for cell in line.split("│")]
    assert cells[2:5] == ["8 | 16 | 16 | 16", "48", "3"]
    assert main(["presets"]) == 0
    assert "8 (default)" in capsys.readouterr().out
