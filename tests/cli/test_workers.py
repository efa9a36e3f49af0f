"""`rstar workers`, and `rstar run` with a `[slurm]` section, where there is no Slurm."""

from pathlib import Path

import pytest

from rstar_async.cli.main import main
from rstar_async.config import Recipe, SlurmConfig
from rstar_async.launch.home import write_private
from rstar_async.launch.slurm.job_file import SubmittedJob, active_job, read_job, write_job


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "runs" / "demo"
    write_private(home / "recipe.json", Recipe(name="demo", home=str(home)))
    return home


def test_a_folder_that_is_no_run_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["workers", "executor", "--join", str(tmp_path)]) == 2
    assert "holds no run: it has neither recipe.json nor rstar.db" in capsys.readouterr().err


def test_what_the_run_searches_with_cannot_differ_for_some_workers(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["workers", "executor", "--join", str(home), "--search.rollouts", "3"]
    assert main(words) == 2
    assert "search.rollouts is a setting of the run" in capsys.readouterr().err


def test_an_array_is_printed_and_not_submitted(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["workers", "executor", "--join", str(home), "--array", "16", "--dry-run"]
    assert main([*words, "--workers.executor", "4", "--slurm.partition", "cpu"]) == 0
    said = capsys.readouterr().out
    assert "#SBATCH --array=1-16\n" in said
    assert "#SBATCH --partition=cpu\n" in said
    assert f"workers executor --join {home} --workers.executor 4 " in said
    assert not (home / "slurm").exists()


def test_executors_ask_for_no_gpus_unless_the_command_does(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    on_gpus = Recipe(name="demo", home=str(home), slurm=SlurmConfig(gpus=4))
    write_private(home / "recipe.json", on_gpus)
    words = ["--join", str(home), "--array", "2", "--dry-run"]
    assert main(["workers", "executor", *words]) == 0
    assert "--gpus" not in capsys.readouterr().out
    assert main(["workers", "inference", *words]) == 0
    assert "--gpus-per-node=4" in capsys.readouterr().out
    assert main(["workers", "executor", *words, "--slurm.gpus", "1"]) == 0
    assert "--gpus-per-node=1" in capsys.readouterr().out


def test_without_slurm_the_command_says_where_to_give_it(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert main(["workers", "executor", "--join", str(home), "--array", "2"]) == 2
    assert "there is no sbatch here" in capsys.readouterr().err


def test_a_dry_run_prints_script_and_recipe_without_the_password_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    words = ["run", "--model", "demo", "--home", str(home), "--slurm.nodes", "3", "--dry-run"]
    assert main([*words, "--database", "postgresql://me:secret@db/rstar"]) == 0
    said = capsys.readouterr().out
    assert "#SBATCH --nodes=3\n" in said
    assert '"nodes": 3' in said
    assert "secret" not in said
    assert not home.exists()


def test_a_setting_with_a_line_break_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["run", "--model", "demo", "--dry-run", "--slurm.partition"]
    assert main([*words, "cpu\n#SBATCH --wrong"]) == 2
    assert "slurm.partition must not hold line breaks" in capsys.readouterr().err


def test_training_on_several_nodes_needs_a_server(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--model", "demo", "--dry-run", "--slurm.training_nodes", "2"]) == 2
    assert "needs a database that all nodes reach" in capsys.readouterr().err


def test_a_job_that_has_ended_by_itself_no_longer_holds_the_run(tmp_path: Path) -> None:
    assert active_job(tmp_path) is None
    write_job(tmp_path, SubmittedJob("5", 0))
    assert read_job(tmp_path) == SubmittedJob("5", 0)
    assert active_job(tmp_path) is None
