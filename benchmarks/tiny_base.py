"""`python -m benchmarks.tiny_base FOLDER SEED`: a base model of a few thousand random weights.

Training it takes a second, and the scripted engine needs its tokenizer only. In a process of its
own, so that who asks for it stays free of torch.
"""

import subprocess
import sys
from pathlib import Path

from rstar_async.demo.tokenizer import tiny_tokenizer
from scripts.demo_checkpoint.model import Shape, save_folder, tiny_model

SMALLEST = Shape(hidden=16, feed_forward=32, layers=1, heads=2)


def make_base(folder: Path, seed: int) -> None:
    """Have it made in `folder`; the same seed gives the same weights."""
    command = [sys.executable, "-m", "benchmarks.tiny_base", str(folder), str(seed)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def build(folder: Path, seed: int) -> None:
    """Initialise and save it here and now."""
    tokenizer = tiny_tokenizer()
    save_folder(tiny_model(tokenizer, seed, SMALLEST), tokenizer, folder)


if __name__ == "__main__":
    build(Path(sys.argv[1]), int(sys.argv[2]))
