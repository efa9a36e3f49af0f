"""`python -m benchmarks.engine.checkpoint BASE FOLDER`: a model as all engines are given it.

BASE is what `model.base` of a recipe may be. The folder holds its weights in float32, without the
ids that end a text, so that every engine generates as many tokens as it is asked for.
"""

import sys
from pathlib import Path

from transformers import AutoModelForCausalLM, GenerationConfig

from rstar_async.engines.exact_attention import with_exact_attention
from rstar_async.models.sources import find
from rstar_async.trainer.base_tokenizer import load_tokenizer, save_tokenizer
from rstar_async.trainer.trainer_args import quiet


def prepare(base: str, folder: Path) -> None:
    quiet()
    source = find(base, "--model")
    tokenizer = load_tokenizer(source)
    model = AutoModelForCausalLM.from_pretrained(source.place, dtype="float32", **source.options)
    model = with_exact_attention(model)
    model.config.eos_token_id = None
    model.generation_config = GenerationConfig(pad_token_id=0)
    model.save_pretrained(folder)
    save_tokenizer(tokenizer, folder)


if __name__ == "__main__":
    prepare(sys.argv[1], Path(sys.argv[2]))
