"""`python -m scripts.program_checkpoint.bootstrap --out DIR`: rebuild the programming demo's model.

As the word problems' checkpoint, it learns to quote from copying examples, then to program from
gold solutions of the easy levels in plain words, some of them replaced at random.
"""

import argparse
from pathlib import Path
from random import Random

from rstar_async.demo.programs.tasks import program_tasks
from rstar_async.demo.programs.tokenizer import program_tokenizer
from rstar_async.text.encoding import Encoder
from scripts.demo_checkpoint.bootstrap import COPYING_SHARE, progress_printer
from scripts.demo_checkpoint.copying_examples import whole_words
from scripts.demo_checkpoint.model import Shape, save_folder, tiny_model
from scripts.demo_checkpoint.pretrain import PretrainingPlan, pretrain
from scripts.program_checkpoint.examples import copying_examples, solution_example

LEVELS = (1, 2, 3)
DEMONSTRATIONS = 9_000
SHAPE = Shape(hidden=64, feed_forward=192, layers=4, heads=4)
COPYING = PretrainingPlan(steps=300, warm_up=30, decays=False, bfloat16=False)
PROGRAMMING = PretrainingPlan(steps=1000, warm_up=20, bfloat16=False)


def build(out: Path, seed: int, threads: int) -> None:
    """Train the model to quote, then to program, and save it as a Hugging Face folder."""
    import torch

    torch.set_num_threads(threads)
    tokenizer = program_tokenizer()
    encoder, words, random = Encoder(tokenizer, "tagged"), whole_words(tokenizer), Random(seed)
    model = tiny_model(tokenizer, seed, SHAPE)
    copying = copying_examples(COPYING.steps * COPYING.batch, words, encoder, random)
    pretrain(model, copying, COPYING, seed, progress_printer(COPYING))
    tasks = program_tasks(DEMONSTRATIONS, LEVELS, seed, "demonstration", garbled=True)
    copying = copying_examples(int(COPYING_SHARE * len(tasks)), words, encoder, random)
    shown = [*(solution_example(task, encoder) for task in tasks), *copying]
    pretrain(model, shown, PROGRAMMING, seed, progress_printer(PROGRAMMING))
    save_folder(model, tokenizer, out)


def main() -> None:
    """Parse the command line and build."""
    parser = argparse.ArgumentParser(prog="python -m scripts.program_checkpoint.bootstrap")
    parser.add_argument("--out", type=Path, required=True, help="folder for the checkpoint")
    parser.add_argument("--seed", type=int, default=0, help="decides tasks, weights and order")
    parser.add_argument("--threads", type=int, default=1, help="of torch")
    options = parser.parse_args()
    build(options.out, options.seed, options.threads)


if __name__ == "__main__":
    main()
