import json
import struct

import numpy as np
import pytest

from rstar_async.models.sources import DEMO_CHECKPOINT
from rstar_async.planning.choosing import MODELS
from rstar_async.planning.model_size import ModelSize, size_of

# As Qwen2.5-1.5B is built.
CONFIG = {
    "num_hidden_layers": 28,
    "hidden_size": 1536,
    "intermediate_size": 8960,
    "vocab_size": 151936,
    "num_attention_heads": 12,
    "num_key_value_heads": 2,
    "tie_word_embeddings": True,
}


def write_weights(folder, shapes):
    header = {f"w{n}": {"dtype": "F32", "shape": shape} for n, shape in enumerate(shapes)}
    text = json.dumps({"__metadata__": {}, **header}).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text)


def test_parameters_are_counted_in_the_headers_of_the_weights(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({**CONFIG, "vocab_size": 7}))
    write_weights(tmp_path, [[10, 20], [5], []])
    assert size_of(str(tmp_path)) == ModelSize(206, 28, 1536, 7)


def test_the_demos_model_has_a_million_parameters():
    assert DEMO_CHECKPOINT.is_dir()
    assert size_of("demo").parameters == pytest.approx(1e6, rel=0.1)


def test_without_readable_weights_the_shape_tells(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    assert size_of(str(tmp_path)).parameters == pytest.approx(MODELS["1.5 B"].parameters, rel=0.01)


def test_a_gguf_file_tells_its_shape(tmp_path):
    gguf = pytest.importorskip("gguf")
    writer = gguf.GGUFWriter(tmp_path / "model.gguf", "llama")
    writer.add_block_count(2)
    writer.add_embedding_length(8)
    writer.add_tensor("token_embd.weight", np.zeros((50, 8), np.float32))
    writer.add_tensor("blk.0.attn_q.weight", np.zeros((8, 8), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    assert size_of(str(tmp_path / "model.gguf")) == ModelSize(464, 2, 8, 50)


def test_a_gguf_file_that_tells_no_shape_has_its_parameters_counted(tmp_path):
    gguf = pytest.importorskip("gguf")
    writer = gguf.GGUFWriter(tmp_path / "model.gguf", "llama")
    writer.add_tensor("token_embd.weight", np.zeros((50, 8), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    assert size_of(str(tmp_path / "model.gguf")) == ModelSize(400)


def test_a_model_that_is_not_here_has_no_known_size():
    assert size_of("no-one/no-model") is None
