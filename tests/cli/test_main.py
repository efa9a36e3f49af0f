import subprocess
import sys

import pytest

from rstar_async.cli.main import VERBS, main
from rstar_async.cli.recipe_arguments import split_overrides
from rstar_async.errors import BadInput


def test_dotted_settings_are_taken_out_wherever_they_stand():
    words = ["--search.rollouts", "2", "recipe.toml", "--ppm.train=false", "--name", "x"]
    others, pairs = split_overrides(words)
    assert others == ["recipe.toml", "--name", "x"]
    assert pairs == [("search.rollouts", "2"), ("ppm.train", "false")]


def test_a_setting_without_a_value_is_named():
    with pytest.raises(BadInput, match=r"--search\.rollouts needs a value"):
        split_overrides(["--search.rollouts"])


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb, capsys):
    with pytest.raises(SystemExit) as ended:
        main([verb, "--help"])
    assert ended.value.code == 0
    assert f"rstar {verb}" in capsys.readouterr().out


def test_help_imports_nothing_heavy():
    """Answering at once means not importing torch, SQLAlchemy or trio."""
    code = (
        "import sys, rstar_async.cli.main as c\n"
        "try: c.main(['--help'])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('torch', 'sqlalchemy', 'trio', 'zmq', 'msgspec') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["rn"], "there is no 'rn'; did you mean `rstar run`?"),
        (["frobnicate"], "`rstar --help` lists all verbs"),
        (["run"], "`rstar run --model MODEL --problems FILE`"),
        (["run", "--model", "demo", "--rounds", "two"], "--rounds two: give a number from 0"),
        (["run", "--problems", "openai/gsm8k"], "give hf:openai/gsm8k@train"),
        (["settings", "search.rolouts"], "did you mean 'search.rollouts'?"),
        (["run", "nowhere.toml"], "no recipe nowhere.toml"),
        (["run", "--search.rolouts", "3"], "did you mean 'search.rollouts'"),
        (["run", "--problems", "/nowhere.jsonl"], "cannot read problems from /nowhere.jsonl"),
        (["run", "--model", "/nowhere"], "there is no folder /nowhere"),
        (["run", "--model", "no-one/no-model"], "no-one/no-model is not a folder and cannot be"),
        (["report", "/nowhere"], "at /nowhere; `rstar run --name NAME` makes runs/NAME"),
        (["status", "/nowhere"], "there is no run at /nowhere"),
        (["sandbox", "check", "/nowhere"], "no folder /nowhere"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(words, says, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"], ["help"]])
def test_without_a_verb_help_is_given_within_80_columns(words, capsys):
    assert main(words) == 0
    said = capsys.readouterr().out
    assert all(verb in said for verb in VERBS)
    assert max(map(len, said.splitlines())) <= 80


def test_help_of_a_verb_is_found_both_ways(capsys):
    with pytest.raises(SystemExit):
        main(["help", "run"])
    assert "usage: rstar run" in capsys.readouterr().out


def test_help_of_a_run_names_the_sections_of_settings(capsys):
    with pytest.raises(SystemExit):
        main(["run", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "`rstar settings SECTION` explains those of model, bootstrap, problems, search" in said
    assert "rounds." in said


def test_the_version_is_told(capsys):
    assert main(["--version"]) == 0
    name, version = capsys.readouterr().out.split()
    assert name == "rstar"
    assert version[0].isdigit()


def test_settings_are_listed_by_name_by_section_and_by_their_last_part(capsys):
    for words, first, lines in (
        (["settings", "search.rollouts"], "search.rollouts = 8", 3),
        (["settings", "answers"], 'answers.rules = "strict"', 3),
        (["settings", "rounds.guidance"], 'rounds[].guidance = "terminal"', 3),
        (["settings", "beam_width"], "evaluation.beam_width = 4", 3),
    ):
        assert main(words) == 0
        said = capsys.readouterr().out.splitlines()
        assert said[0] == first
        assert len(said) >= lines - 1
    assert main(["settings"]) == 0
    assert len(capsys.readouterr().out.splitlines()) > 100
