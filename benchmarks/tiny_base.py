"""`python -m benchmarks.tiny_base FOLDER SEED`: a base model of a few thousand random weights.

Training it takes a second, and the scripted engine needs its tokenizer only. In a process of its
own, so that who asks for it stays free of torch.
"""

import subprocess
import sys
from pathlib import Path

from rstar_async.demo.model import CONTEXT, save_folder
from rstar_async.demo.tokenizer import END, PAD, tiny_tokenizer


def make_base(folder: Path, seed: int) -> None:
    """Have it made in `folder`; the same seed gives the same weights."""
    command = [sys.executable, "-m", "benchmarks.tiny_base", str(folder), str(seed)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def build(folder: Path, seed: int) -> None:
    """Initialise and save it here and now."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = tiny_tokenizer()
    config = LlamaConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.token_to_id(PAD),
        eos_token_id=tokenizer.token_to_id(END),
        bos_token_id=None,
    )
    torch.manual_seed(seed)
    save_folder(LlamaForCausalLM(config), tokenizer, folder)


if __name__ == "__main__":
    build(Path(sys.argv[1]), int(sys.argv[2]))
