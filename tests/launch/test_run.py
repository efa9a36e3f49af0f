import os
import stat
import sys
from pathlib import Path

import msgspec
import pytest

from rstar_async.cli.prepare import main
from rstar_async.config import Recipe
from rstar_async.errors import BadInput
from rstar_async.launch.home import prepare_home
from rstar_async.launch.lock import RunLock
from rstar_async.launch.run import launch


def test_the_resolved_recipe_is_whole_and_for_this_user_only(tmp_path: Path) -> None:
    recipe = Recipe(name="trial", home=str(tmp_path), database="postgresql://me:secret@db/x")
    path = prepare_home(recipe)
    assert msgspec.json.decode(path.read_bytes(), type=Recipe) == recipe
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert recipe.models_folder.is_dir()


def test_a_second_run_in_a_home_is_refused_before_anything_is_started(tmp_path: Path) -> None:
    recipe = Recipe(home=str(tmp_path))
    with RunLock(tmp_path), pytest.raises(BadInput, match=f"pid {os.getpid()}"):
        launch(recipe)
    assert not (tmp_path / "logs").exists()
    assert not (tmp_path / "recipe.json").exists()


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match=r"cannot write to .*/file/home"):
        launch(Recipe(home=str(tmp_path / "file" / "home")))


def test_a_run_can_be_prepared_without_starting_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tmp_path / "small.toml"
    recipe.write_text("[problems]\nlimit = 3\n")
    words = [str(recipe), "--name", "small", f"--home={tmp_path}/runs/{{name}}"]
    monkeypatch.setattr(sys, "argv", ["launch", *words])
    assert main() == 0
    assert capsys.readouterr().out == f"{tmp_path}/runs/small/recipe.json\n"
    assert (tmp_path / "runs/small/rstar.db").is_file()


def test_a_wrong_key_is_one_line_and_exit_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tmp_path / "wrong.toml"
    recipe.write_text("[serach]\nrollouts = 3\n")
    monkeypatch.setattr(sys, "argv", ["launch", str(recipe)])
    assert main() == 2
    assert "did you mean 'search'" in capsys.readouterr().err
