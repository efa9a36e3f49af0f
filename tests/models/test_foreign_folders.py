"""Model folders with a config.json of any content are refused in one line before a run starts."""

import json

import pytest

from rstar_async.errors import BadInput
from rstar_async.models.sources import require

CONFIGS = {
    "nothing": b"",
    "no JSON": b"{" * 20,
    "a great depth": b'{"a":' * 100_000,
    "5,000 digits": b'{"hidden_size": ' + b"9" * 5_000 + b"}",
    "no UTF-8": b'{"a": "\xff"}',
    "a list": b"[]",
    "a quantisation that is a number": b'{"quantization_config": 5}',
    "a method that is long": json.dumps(
        {"quantization_config": {"quant_method": "x\n" * 1_000_000}}
    ).encode(),
}


@pytest.mark.parametrize("config", CONFIGS)
def test_a_folder_is_refused_in_one_line_that_names_it(tmp_path, config):
    (tmp_path / "model.safetensors").write_bytes(bytes(64))
    (tmp_path / "config.json").write_bytes(CONFIGS[config])
    with pytest.raises(BadInput) as refused:
        require(str(tmp_path))
    said = str(refused.value)
    assert str(tmp_path) in said
    assert "\n" not in said
    assert len(said) < 400
