"""`python -m rstar_async.demo.bootstrap --out DIR`: rebuild the demo's checkpoint from nothing.

The model sees gold solutions of the easy levels only, all from the demonstration split.
"""

import argparse
from pathlib import Path
from time import monotonic

from rstar_async.demo.examples import example
from rstar_async.demo.model import save_folder, tiny_model
from rstar_async.demo.passrate import Sampler, pass_at_1
from rstar_async.demo.problems import word_problems
from rstar_async.demo.schooling import Report, Schooling, school
from rstar_async.demo.tokenizer import tiny_tokenizer
from rstar_async.text.encoding import Encoder

LEVELS = (1, 2)
DEMONSTRATIONS = 20_000
TESTED_LEVELS, TESTED, SAMPLES, TEMPERATURE = (1, 2, 3, 4, 5, 6), 120, 2, 0.8


def build(out: Path, seed: int, plan: Schooling, demonstrations: int = DEMONSTRATIONS) -> None:
    """Train and save; the folder holds a stock Hugging Face model afterwards."""
    tokenizer = tiny_tokenizer()
    encoder = Encoder(tokenizer, "tagged")
    problems = word_problems(demonstrations, LEVELS, seed, "demonstration")
    model = tiny_model(tokenizer, seed)
    school(model, [example(p, encoder) for p in problems], plan, seed, _reporter(plan))
    save_folder(model, tokenizer, out)


def print_pass_rates(folder: Path, seed: int) -> None:
    """Sample the saved model on held-out problems of all levels."""
    import torch
    from transformers import LlamaForCausalLM

    model = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32)
    sampler = Sampler(model, Encoder.load(folder, "tagged"), TEMPERATURE)
    torch.manual_seed(seed)
    problems = word_problems(TESTED, TESTED_LEVELS, seed, "heldout")
    rates = pass_at_1(sampler, problems, SAMPLES)
    shown = "  ".join(f"{level}: {100 * rate:.0f} %" for level, rate in rates.items())
    print(f"held-out pass@1 by level  {shown}  mean {100 * sum(rates.values()) / len(rates):.1f} %")


def _reporter(plan: Schooling, every: int = 100) -> Report:
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
    parser = argparse.ArgumentParser(prog="python -m rstar_async.demo.bootstrap")
    parser.add_argument("--out", type=Path, required=True, help="folder for the checkpoint")
    parser.add_argument("--seed", type=int, default=0, help="decides problems, weights and order")
    parser.add_argument("--steps", type=int, default=Schooling.steps)
    options = parser.parse_args()
    build(options.out, options.seed, Schooling(steps=options.steps))
    print_pass_rates(options.out, options.seed)


if __name__ == "__main__":
    main()
