"""`python -m benchmarks.engine.gguf_file FOLDER TYPE FILE`: a model folder as a GGUF file.

TYPE is q8_0 or q4_0, for every matrix. Families: Llama and Qwen 2. Tokens are named because readers
want names; prompts and answers are ids.
"""

import json
import sys
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from safetensors import safe_open

FAMILIES = {"llama": gguf.MODEL_ARCH.LLAMA, "qwen2": gguf.MODEL_ARCH.QWEN2}
TYPES = {
    "q8_0": (gguf.GGMLQuantizationType.Q8_0, gguf.LlamaFileType.MOSTLY_Q8_0),
    "q4_0": (gguf.GGMLQuantizationType.Q4_0, gguf.LlamaFileType.MOSTLY_Q4_0),
}
DEFAULT_THETA = 10_000.0


def write(folder: Path, type_: str, file: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    family = config["model_type"]
    if family not in FAMILIES:
        raise SystemExit(f"no GGUF file is made here of the family {family}")
    writer = gguf.GGUFWriter(file, gguf.MODEL_ARCH_NAMES[FAMILIES[family]])
    _describe(writer, config)
    writer.add_file_type(TYPES[type_][1])
    _add_tokens(writer, folder, config["vocab_size"])
    _add_tensors(writer, folder, config, TYPES[type_][0])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _describe(writer: gguf.GGUFWriter, config: dict[str, Any]) -> None:
    heads = config["num_attention_heads"]
    width = config.get("head_dim") or config["hidden_size"] // heads
    rope = config.get("rope_parameters") or {}
    writer.add_vocab_size(config["vocab_size"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_rope_dimension_count(width)
    writer.add_rope_freq_base(rope.get("rope_theta", config.get("rope_theta", DEFAULT_THETA)))
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])


def _add_tokens(writer: gguf.GGUFWriter, folder: Path, size: int) -> None:
    """Special tokens are numbers: by its name one may be held an end of text, and never be drawn.
    Only token 0 is said to be an end, because readers want one."""
    content = json.loads((folder / "tokenizer.json").read_text())
    known = {number: token for token, number in content["model"]["vocab"].items()}
    special = {token["id"] for token in content["added_tokens"]}
    names = [f"[{number}]" if number in special else known.get(number) for number in range(size)]
    kinds = [gguf.TokenType.CONTROL if n in special else gguf.TokenType.NORMAL for n in range(size)]
    merges = content["model"].get("merges") or ["a b"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([name or f"[{number}]" for number, name in enumerate(names)])
    writer.add_token_types(kinds)  # OpenVINO reads no file without special tokens
    writer.add_token_merges([pair if isinstance(pair, str) else " ".join(pair) for pair in merges])
    writer.add_eos_token_id(0)
    writer.add_add_bos_token(False)


def _add_tensors(
    writer: gguf.GGUFWriter,
    folder: Path,
    config: dict[str, Any],
    type_: gguf.GGMLQuantizationType,
) -> None:
    names = gguf.get_tensor_name_map(FAMILIES[config["model_type"]], config["num_hidden_layers"])
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, "np") as tensors:
            for name in tensors.keys():  # noqa: SIM118 - not a dict
                values = _as_read(name, tensors.get_tensor(name).astype(np.float32), config)
                new_name = names.get_name(name, try_suffixes=(".weight", ".bias"))
                if new_name is None:
                    raise SystemExit(f"GGUF has no name for {name}")
                _add_tensor(writer, new_name, values, type_)


def _add_tensor(
    writer: gguf.GGUFWriter, name: str, values: np.ndarray, type_: gguf.GGMLQuantizationType
) -> None:
    """Matrices in `type_`; norms and biases as they are."""
    if values.ndim == 2:
        writer.add_tensor(name, gguf.quants.quantize(values, type_), raw_dtype=type_)
    else:
        writer.add_tensor(name, values)


def _as_read(name: str, values: np.ndarray, config: dict[str, Any]) -> np.ndarray:
    """Of Llama, readers rotate neighbouring numbers of queries and keys, transformers halves."""
    if config["model_type"] != "llama":
        return values
    heads = {"q_proj": "num_attention_heads", "k_proj": "num_key_value_heads"}
    for part, key in heads.items():
        if f".{part}." in name:
            halves = values.reshape(config[key], 2, -1, *values.shape[1:])
            return halves.swapaxes(1, 2).reshape(values.shape)
    return values


if __name__ == "__main__":
    write(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
