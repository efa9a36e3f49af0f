"""Linear layers reordered or in 8 bits, against plain ones."""

import pytest
import torch
from torch import nn
from transformers import AutoModelForCausalLM

from rstar_async.errors import BadInput
from rstar_async.wire.payloads import Generate, Sampling
from workers.engines.local.engine import LocalEngine
from workers.engines.local.linear_layers import Int8Linear, PackedLinear, pack, quantize
from workers.engines.local.loader import pick_dtype
from workers.engines.local.settings import LocalSettings


@pytest.fixture
def model(models_dir):
    return AutoModelForCausalLM.from_pretrained(models_dir / "llama", dtype=torch.float32)


def rows(count: int, width: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("bias", [False, True])
@torch.inference_mode()
def test_8_bits_are_within_two_per_cent(bias):
    torch.manual_seed(1)
    plain = nn.Linear(256, 96, bias=bias)
    inputs = rows(2 * 5, 256).view(2, 5, 256)
    exact, ours = plain(inputs), Int8Linear(plain)(inputs)
    assert ours.shape == exact.shape
    assert (ours - exact).norm() < 0.02 * exact.norm()
    assert not torch.equal(ours, exact)


@torch.inference_mode()
def test_a_row_in_8_bits_is_the_same_in_every_batch():
    layer = Int8Linear(nn.Linear(64, 48))
    batch = rows(17, 64)
    batch[3] *= 1e4
    batch[5] = 0
    together = layer(batch)
    for number in range(len(batch)):
        assert torch.equal(layer(batch[number : number + 1])[0], together[number])


@torch.inference_mode()
def test_a_row_of_zeros_and_weights_of_zeros_give_the_bias():
    plain = nn.Linear(32, 16)
    assert torch.equal(Int8Linear(plain)(torch.zeros(1, 32))[0], plain.bias)
    plain.weight.zero_()
    assert torch.equal(Int8Linear(plain)(rows(1, 32))[0], plain.bias)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("count", [1, 7, 64, 300])
@torch.inference_mode()
def test_a_packed_layer_gives_what_the_plain_one_gives(count, bias):
    torch.manual_seed(1)
    plain = nn.Linear(96, 200, bias=bias)
    inputs = rows(count, 96)
    torch.testing.assert_close(PackedLinear(plain)(inputs), plain(inputs), atol=1e-5, rtol=1e-5)


@torch.inference_mode()
def test_packing_changes_little_and_leaves_the_embedding(model):
    ids = torch.arange(12)[None]
    before, embedding = model(ids).logits, model.get_input_embeddings().weight.clone()
    pack(model, smallest=1)
    assert not any(isinstance(module, nn.Linear) for module in model.modules())
    assert torch.equal(model.get_input_embeddings().weight, embedding)
    torch.testing.assert_close(model(ids).logits, before, atol=1e-4, rtol=1e-4)


@torch.inference_mode()
def test_what_cannot_be_packed_stays_as_it_is(model, caplog):
    model.double()
    ids = torch.arange(12)[None]
    before = model(ids).logits
    pack(model, smallest=1)
    assert torch.equal(model(ids).logits, before)
    assert "linear layers are not packed" in caplog.text


def test_small_layers_stay_plain():
    model = nn.Sequential(nn.Linear(16, 8), nn.Linear(256, 256))
    pack(model)
    assert [type(layer) for layer in model] == [nn.Linear, PackedLinear]


def test_all_of_the_decoder_and_not_the_head_is_in_8_bits(model):
    quantize(model)
    left = [name for name, module in model.named_modules() if isinstance(module, nn.Linear)]
    assert left == ["lm_head"]
    assert isinstance(model.model.layers[1].self_attn.o_proj, Int8Linear)


async def test_an_engine_in_8_bits_answers_equal_batches_alike(models_dir, tokens):
    sampling = Sampling(temperature=0.0, max_tokens=12)
    settings = LocalSettings(dtype="int8", cache_mib=8)
    prompts = [tokens(length) for length in (20, 7, 13)]

    async def answers():
        async with LocalEngine(models_dir, settings) as engine:
            replies = [await engine.generate(Generate("llama", p, 2, 0, sampling)) for p in prompts]
        return [[sample.tokens for sample in reply.samples] for reply in replies]

    first = await answers()
    assert first == await answers()
    assert all(len(one) == 12 for samples in first for one in samples)


def test_8_bits_are_refused_on_a_gpu():
    with pytest.raises(BadInput, match=r"model\.dtype int8 is for CPUs; on a GPU take bfloat16"):
        pick_dtype("int8", torch.device("cuda"))
