"""What is known of a model folder before its weights are loaded."""

import json
import shutil

import pytest

from rstar_async.engines.errors import ModelUnavailable
from workers.engines.limits import ModelLimits
from workers.engines.sglang.command import Command
from workers.engines.sglang.model_folder import read_model_folder


def read(folder, version="v"):
    return read_model_folder(folder, version)


def test_limits_end_ids_and_shapes_come_from_the_files(models_dir):
    from tests.workers.engines.tiny import CONTEXT, VOCABULARY

    model = read(models_dir / "llama")
    assert model.limits == ModelLimits(VOCABULARY, CONTEXT)
    assert model.end_ids == frozenset()
    assert model.shapes["model.embed_tokens.weight"] == ("F32", (VOCABULARY, 32))


def test_only_weights_of_the_same_shapes_can_be_exchanged(models_dir):
    llama = read(models_dir / "llama")
    assert read(models_dir / "llama-2").replaces(llama)
    assert not read(models_dir / "qwen").replaces(llama)
    assert not read(models_dir / "llama-ppm").replaces(llama)


def test_the_probe_and_the_end_ids_of_a_published_version_are_read(models_dir, tmp_path):
    folder = shutil.copytree(models_dir / "llama", tmp_path / "v")
    probe = {"input_ids": [[1, 2], [3, 4]], "values": [-1.5, 0.25]}
    (folder / "manifest.json").write_text(json.dumps({"probe": probe}))
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": [2, 7]}))
    model = read(folder)
    assert model.probe == (([1, 2], -1.5), ([3, 4], 0.25))
    assert model.end_ids == {2, 7}


@pytest.mark.parametrize("keep", [0, 7, 100, -1])
def test_a_file_cut_short_is_refused_by_name(models_dir, tmp_path, keep):
    folder = shutil.copytree(models_dir / "llama", tmp_path / "v")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:keep])
    with pytest.raises(ModelUnavailable, match=r"model\.safetensors"):
        read(folder)


def test_a_shard_that_is_missing_is_refused_by_name(models_dir, tmp_path):
    folder = shutil.copytree(models_dir / "llama", tmp_path / "v")
    index = {"weight_map": {"a": "model.safetensors", "b": "model-2.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ModelUnavailable, match="model-2"):
        read(folder)


def test_the_users_arguments_come_last_in_the_command(tmp_path):
    command = Command("'my server' --at {port} {model}", ("--tp", "2"))
    argv = command.argv(tmp_path, 8000, ("--is-embedding",))
    assert argv[:4] == ("my server", "--at", "8000", str(tmp_path))
    assert argv[-3:] == ("--is-embedding", "--tp", "2")
