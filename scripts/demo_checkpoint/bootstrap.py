"""`python -m scripts.demo_checkpoint.bootstrap --out DIR`: rebuild the checkpoint from scratch.

The model learns to quote from copying examples of random words, then to solve problems from gold
solutions of the easy levels, all of the demonstration split. Some of their words are replaced at
random, which teaches the model to guess the meaning of an unknown word; without that it ignores
such words, and search finds nothing. Takes about seven minutes on one core.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from random import Random
from time import monotonic

from rstar_async.demo.problems import word_problems
from rstar_async.demo.tokenizer import tiny_tokenizer
from rstar_async.text.encoding import Encoder
from scripts.demo_checkpoint.copying_examples import copying_examples, whole_words
from scripts.demo_checkpoint.examples import example
from scripts.demo_checkpoint.model import save_folder, tiny_model
from scripts.demo_checkpoint.pass_rate import Sampler, pass_at_1
from scripts.demo_checkpoint.pretrain import PretrainingPlan, Report, pretrain

LEVELS = (1, 2, 3)
DEMONSTRATIONS = 16_000
# Copying examples among the demonstrations, so that copying is not forgotten.
COPYING_SHARE = 0.25
COPYING = PretrainingPlan(steps=500, warm_up=50, decays=False)
SOLVING = PretrainingPlan(steps=1400, warm_up=20)
TESTED_LEVELS, TESTED, SAMPLES, TEMPERATURE = (1, 2, 3, 4, 5, 6), 120, 2, 0.8


def build(out: Path, seed: int) -> None:
    """Train the model to quote, then to solve, and save it as a Hugging Face folder."""
    tokenizer = tiny_tokenizer()
    encoder, words, random = Encoder(tokenizer, "tagged"), whole_words(tokenizer), Random(seed)
    model = tiny_model(tokenizer, seed)
    copying = copying_examples(COPYING.steps * COPYING.batch, words, encoder, random)
    pretrain(model, copying, COPYING, seed, progress_printer(COPYING))
    problems = word_problems(DEMONSTRATIONS, LEVELS, seed, "demonstration", garbled=True)
    copying = copying_examples(int(COPYING_SHARE * len(problems)), words, encoder, random)
    shown = [*(example(problem, encoder) for problem in problems), *copying]
    pretrain(model, shown, SOLVING, seed, progress_printer(SOLVING))
    save_folder(model, tokenizer, out)


def print_pass_rates(folder: Path, seed: int) -> None:
    """Sample the saved model on held-out problems of all levels."""
    problems = word_problems(TESTED, TESTED_LEVELS, seed, "heldout")
    print_rates(pass_at_1(saved_sampler(folder, seed), problems, SAMPLES))


def saved_sampler(folder: Path, seed: int) -> Sampler:
    """Samples the saved model from a seed on."""
    import torch
    from transformers import LlamaForCausalLM

    model = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32)
    torch.manual_seed(seed)
    return Sampler(model, Encoder.load(folder, "tagged"), TEMPERATURE)


def print_rates(rates: Mapping[int, float]) -> None:
    shown = "  ".join(f"{level}: {100 * rate:.0f} %" for level, rate in rates.items())
    print(f"held-out pass@1 by level  {shown}  mean {100 * sum(rates.values()) / len(rates):.1f} %")


def progress_printer(plan: PretrainingPlan, every: int = 50) -> Report:
    """Prints step, loss and time now and then."""
    begin = monotonic()

    def report(step: int, loss: float) -> None:
        if step % every == 0 or step == plan.steps:
            print(
                f"step {step}/{plan.steps}  loss {loss:.4f}  {monotonic() - begin:.0f} s",
                flush=True,
            )

    return report


def main() -> None:
    """Parse the command line, build, measure."""
    parser = argparse.ArgumentParser(prog="python -m scripts.demo_checkpoint.bootstrap")
    parser.add_argument("--out", type=Path, required=True, help="folder for the checkpoint")
    parser.add_argument("--seed", type=int, default=0, help="decides problems, weights and order")
    options = parser.parse_args()
    build(options.out, options.seed)
    print_pass_rates(options.out, options.seed)


if __name__ == "__main__":
    main()
