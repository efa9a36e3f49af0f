"""`python -m scripts.program_checkpoint.bootstrap --out DIR`: rebuild the programming demo's model.

It begins as the word problems' model, which can quote, and learns to program from gold solutions of
the easy levels in plain words, some of them replaced at random.
"""

import argparse
from pathlib import Path
from random import Random

from rstar_async.demo.programs.tasks import program_tasks
from rstar_async.demo.programs.tokenizer import program_tokenizer
from rstar_async.models.sources import DEMO_CHECKPOINT
from rstar_async.text.encoding import Encoder
from scripts.demo_checkpoint.bootstrap import (
    COPYING_SHARE,
    SAMPLES,
    TESTED,
    TESTED_LEVELS,
    print_rates,
    progress_printer,
    saved_sampler,
)
from scripts.demo_checkpoint.copying_examples import whole_words
from scripts.demo_checkpoint.model import save_folder
from scripts.demo_checkpoint.pretrain import PretrainingPlan, pretrain
from scripts.program_checkpoint.examples import copying_examples, solution_example
from scripts.program_checkpoint.pass_rate import pass_at_1
from scripts.program_checkpoint.warm_start import warm_started

LEVELS = (1, 2, 3)
DEMONSTRATIONS = 12_000
PROGRAMMING = PretrainingPlan(steps=900, warm_up=20, bfloat16=False)


def build(out: Path, seed: int, plan: PretrainingPlan) -> None:
    """Train the model to program, and save it as a Hugging Face folder."""
    tokenizer = program_tokenizer()
    encoder, words, random = Encoder(tokenizer, "tagged"), whole_words(tokenizer), Random(seed)
    model = warm_started(tokenizer, DEMO_CHECKPOINT, seed)
    tasks = program_tasks(DEMONSTRATIONS, LEVELS, seed, "demonstration", garbled=True)
    copying = copying_examples(int(COPYING_SHARE * len(tasks)), words, encoder, random)
    shown = [*(solution_example(task, encoder) for task in tasks), *copying]
    pretrain(model, shown, plan, seed, progress_printer(plan))
    save_folder(model, tokenizer, out)


def print_pass_rates(folder: Path, seed: int) -> None:
    """Sample the saved model on held-out tasks of all levels."""
    tasks = program_tasks(TESTED, TESTED_LEVELS, seed, "heldout")
    print_rates(pass_at_1(saved_sampler(folder, seed), tasks, SAMPLES))


def main() -> None:
    """Parse the command line, build, measure."""
    parser = argparse.ArgumentParser(prog="python -m scripts.program_checkpoint.bootstrap")
    parser.add_argument("--out", type=Path, required=True, help="folder for the checkpoint")
    parser.add_argument("--seed", type=int, default=0, help="decides tasks, weights and order")
    options = parser.parse_args()
    build(options.out, options.seed, PROGRAMMING)
    print_pass_rates(options.out, options.seed)


if __name__ == "__main__":
    main()
