"""Pushes to a local hub with the real client; a failing hub does not fail the round."""

import os
import subprocess
import sys

import msgspec
import pytest
from msgspec import structs

from rstar_async.config import TrainingConfig
from rstar_async.errors import BadInput
from rstar_async.trainer.hub import check_name
from rstar_async.trainer.loop import serve
from storage import queries
from tests.trainer.hub_server import TOKEN, serving
from tests.trainer.stored_trees import solved_trees, store_round


@pytest.fixture
def train(context, encoder, tmp_path):
    """Trains a round in a separate process that pushes to the hub at an address."""

    def train_and_push(address):
        serve(context, once=True)
        store_round(context.database, "run", 1, solved_trees(encoder, 6), context.base().id)
        recipe = structs.replace(context.recipe, training=TrainingConfig(hub="somebody/steps"))
        file = tmp_path / "recipe.json"
        file.write_bytes(msgspec.json.encode(recipe))
        arguments = ["-m", "rstar_async.trainer", "--recipe", str(file), "--run", "run", "--once"]
        return run(address, *arguments)

    return train_and_push


def run(address, *arguments):
    """Run Python with this hub; the client reads its settings when it is imported."""
    settings = {"HF_ENDPOINT": address, "HF_TOKEN": TOKEN, "HF_HUB_DISABLE_XET": "1"}
    environment = {**os.environ, **settings, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True
    )
    return done.returncode, done.stdout + done.stderr


def contents(folder):
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


def test_every_file_that_a_round_publishes_is_on_the_hub(context, train):
    with serving() as hub:
        code, output = train(hub.address)
    assert code == 0, output
    _, policy, ppm = context.versions()
    for model in (policy, ppm):
        repository = hub.repositories[f"somebody/steps-{model.kind}"]
        assert repository["private"] is True
        assert repository["files"] == contents(context.folder(model))
        assert repository["tags"] == {model.id: repository["commits"][-1]}
        assert f"model pushed model={model.id}" in output


def test_a_hub_that_cannot_be_reached_is_a_warning_and_the_round_is_trained(context, train):
    with serving() as hub:
        address = hub.address
    code, output = train(address)
    assert code == 0, output
    round_ = context.database.read(queries.round_by_number, "run", 1)
    assert round_.status == "trained"
    _, policy, _ = context.versions()
    assert f"training.hub: model not pushed model={policy.id}" in output


def test_a_version_can_be_pushed_by_hand(context, train):
    home = str(context.recipe.home_folder)
    with serving() as hub:
        train("http://127.0.0.1:9")
        _, _, ppm = context.versions()
        command = ["-m", "rstar_async.cli", "models", home, "push", ppm.id]
        code, output = run(hub.address, *command, "--hub", "somebody/again")
        assert code == 0, output
        assert output.splitlines()[0] == f"{hub.address}/somebody/again-ppm/tree/{ppm.id}"
        assert hub.repositories["somebody/again-ppm"]["files"] == contents(context.folder(ppm))
    code, output = run(hub.address, *command, "--hub", "somebody/again")
    assert code == 2
    assert output.startswith(f"rstar: {ppm.id} was not pushed: ")


@pytest.mark.parametrize("name", ["steps", "a/b/c", "some body/steps", "somebody/-steps-"])
def test_an_invalid_repository_name_is_refused(name):
    with pytest.raises(BadInput, match="is not a repository of a hub"):
        check_name(name)
