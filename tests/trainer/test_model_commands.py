"""The commands `rstar models` and `rstar train`."""

import json

import pytest

from rstar_async.cli.main import main
from rstar_async.trainer.loop import serve
from rstar_async.trainer.standalone import max_length
from storage import queries
from tests.trainer.stored_trees import solved_trees, store_round
from tests.trainer.test_file_dataset import FIRST, RIGHT, SEVEN, STEP, WHOLE, write_json


def test_a_run_can_roll_back_to_older_models_and_forward_again(context, encoder, capsys):
    serve(context, once=True)
    base = context.base()
    for number in (1, 2):
        store_round(context.database, "run", number, solved_trees(encoder, 6, seed=number), base.id)
        serve(context, once=True)
    _, first, first_ppm, second, second_ppm = context.versions()
    home = str(context.recipe.home_folder)
    assert main(["models", home]) == 0
    listed = capsys.readouterr().out
    assert all(version.id in listed for version in context.versions())
    assert main(["models", home, "rollback", first.id]) == 0
    assert context.newest_policy(2) == first
    assert in_use(context, "ppm").id == first_ppm.id
    assert main(["models", home]) == 0
    listed = capsys.readouterr().out
    assert "withdrawn: rolled back by hand" in listed
    assert main(["models", home, "rollback", second.id]) == 0
    assert in_use(context, "policy").id == second.id
    assert in_use(context, "ppm").id == second_ppm.id
    show_and_damage(home, context, second, capsys)


def in_use(context, kind):
    return context.database.read(queries.latest_published, "run", kind, 9)


def show_and_damage(home, context, version, capsys):
    assert main(["models", home, "show", version.id]) == 0
    assert "as they were published" in capsys.readouterr().out
    (context.folder(version) / "config.json").write_text("{}")
    assert main(["models", home, "show", version.id]) == 1
    assert main(["models", home, "rollback", version.id]) == 2
    assert "config.json has changed" in capsys.readouterr().err
    assert main(["models", home, "rollback"]) == 2
    assert main(["models", home, "show", "policy-r009-none"]) == 2


def train(kind, data, plain, into, *options):
    command = ["train", kind, "--data", str(data), "--model", str(plain), "--into", str(into)]
    return main([*command, *options])


def test_models_are_trained_from_files_alone(plain, tmp_path, capsys):
    solution = {"query": "What is 3 + 4?", "response": FIRST + RIGHT + SEVEN}
    sft = write_json(tmp_path / "sft.json", *[solution] * 4)
    into = tmp_path / "models"
    assert train("policy", sft, plain, into, "--policy.batch_size", "2") == 0
    policy = capsys.readouterr().out.strip()
    assert policy.startswith(f"{into}/policy-r000-")
    manifest = json.loads((tmp_path / "models" / policy / "manifest.json").read_text())
    assert manifest["data"]["source"] == "sft.json"
    preferences = write_json(tmp_path / "ppm.json", STEP, WHOLE)
    options = ("--ppm.heldout_share", "0", "--ppm.batch_trees", "1")
    assert train("ppm", preferences, policy, into, *options) == 0
    ppm = capsys.readouterr().out.strip()
    names = sorted(path.name for path in into.iterdir())
    assert names == sorted([policy.rpartition("/")[2], ppm.rpartition("/")[2], "training"])
    assert max_length(10**6, tmp_path / "models" / ppm) == 512


@pytest.mark.parametrize(
    ("records", "options", "message"),
    [
        ([], (), "there are no rows"),
        ([{"query": "?", "response": "Seven."}], (), "problem 1: ends with 'Seven.'"),
        (
            [{"query": "?", "response": FIRST}],
            ("--policy.max_length", "5"),
            "all 1 solutions are longer than 5 tokens",
        ),
    ],
)
def test_unusable_files_end_in_one_line_and_no_model(
    records, options, message, plain, tmp_path, capsys
):
    into = tmp_path / "models"
    data = write_json(tmp_path / "sft.json", *records)
    assert train("policy", data, plain, into, *options) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert list(into.glob("*")) == []
