"""The page on which model fits which machine, by the arithmetic of `memory`.

`python -m rstar_async.planning.choosing > docs/choosing.md` writes it.
"""

from collections.abc import Iterator
from typing import NamedTuple

from rstar_async.config import (
    LoRAConfig,
    PolicyConfig,
    PPMConfig,
    Recipe,
    TrainingConfig,
    WorkersConfig,
)
from rstar_async.planning.memory import disk, gib, policy_training, ppm_training, serving
from rstar_async.planning.model_size import ModelSize
from rstar_async.planning.one_card import section
from rstar_async.planning.processes import SOLUTION_TOKENS
from rstar_async.planning.work import hours

RESERVED = 0.08  # of a card, for its driver, kernels and fragmentation
PROBLEMS, ROUNDS, TOKENS_PER_SEARCH, NODES_PER_SEARCH = 7500, 2, 6000, 120
NODES = PROBLEMS * ROUNDS * NODES_PER_SEARCH
# Sequences decoded at once, and the share of the memory's bandwidth that decoding reaches.
SEQUENCES, REACHED = 64, 0.3


class Card(NamedTuple):
    """`bandwidth` in bytes a second, of one of `cards`."""

    name: str
    memory: float
    bandwidth: float
    cards: int


CARDS = (
    Card("one of 24 GB", 24e9, 1.0e12, 1),
    Card("one of 80 GB", 80e9, 3.35e12, 1),
    Card("eight of 80 GB", 80e9, 3.35e12, 8),
)
# Shapes of common sizes: parameters, layers, width, vocabulary.
MODELS = {
    "0.5 B": ModelSize(494_000_000, 24, 896, 151_936),
    "1.5 B": ModelSize(1_544_000_000, 28, 1536, 151_936),
    "3 B": ModelSize(3_086_000_000, 36, 2048, 151_936),
    "7 B": ModelSize(7_616_000_000, 28, 3584, 152_064),
}


def recipe_with(*, lora: int = 0, training: TrainingConfig | None = None) -> Recipe:
    """Two rounds of 7,500 problems; one solution a pass, as small cards need it."""
    adapters = LoRAConfig(rank=lora)
    return Recipe(
        rounds=Recipe().rounds * ROUNDS,
        policy=PolicyConfig(micro_batch=1, lora=adapters),
        ppm=PPMConfig(max_tokens=2048, max_length=1024, lora=adapters),
        training=training or TrainingConfig(),
        workers=WorkersConfig(cache_mib=4096),
    )


ALL_WEIGHTS = recipe_with()
IN_FEWER_BYTES = recipe_with(training=TrainingConfig(weights="bfloat16", optimizer="adamw_8bit"))
LORA = recipe_with(lora=16)
# How a model can be trained: column, recipe, and whether several cards share the weights.
TRAININGS = (
    ("all weights", ALL_WEIGHTS, True),
    ("bfloat16, 8-bit Adam", IN_FEWER_BYTES, True),
    ("LoRA", LORA, False),
)


def markdown() -> str:
    """The page."""
    return "\n".join(_lines()) + "\n"


def hours_of_search(size: ModelSize, card: Card) -> float:
    """Decoding reads all weights, in bfloat16, once for `SEQUENCES` tokens."""
    rate = SEQUENCES * REACHED * card.bandwidth / (2 * size.parameters) * card.cards
    return PROBLEMS * ROUNDS * TOKENS_PER_SEARCH / rate / 3600


def fits(needed: float, card: Card, *, shared: bool = False) -> str:
    """In words; a training of all weights is sharded over all cards."""
    room = card.memory * (1 - RESERVED) * (card.cards if shared else 1)
    return "yes" if needed <= room else "no"


def _lines() -> Iterator[str]:
    yield from ("# Choosing a model", "", INTRODUCTION, "", "## Memory", "", ABOUT_MEMORY, "")
    yield from _memory()
    yield from ("", "## What fits", "", ABOUT_FITTING, "")
    yield from _fitting()
    yield from ("", "## One card of 24 GB", "")
    yield from section(MODELS["1.5 B"], CARDS[0].memory * (1 - RESERVED), NODES)
    yield from ("", "## Hours and disk", "", ABOUT_HOURS, "")
    yield from _hours()
    yield from ("", ABOUT_REST)


def _memory() -> Iterator[str]:
    columns = [f"{kind}, {name}" for kind in ("policy", "PPM") for name, _, _ in TRAININGS]
    yield f"| model | serving one | {' | '.join(columns)} |"
    yield "|---" * (len(columns) + 2) + "|"
    for name, size in MODELS.items():
        figures = [serving(size, ALL_WEIGHTS, on_gpu=True)]
        figures += [
            policy_training(size, recipe, SOLUTION_TOKENS).total for _, recipe, _ in TRAININGS
        ]
        figures += [ppm_training(size, recipe).total for _, recipe, _ in TRAININGS]
        yield f"| {name} | {' | '.join(map(gib, figures))} |"


def _fitting() -> Iterator[str]:
    yield f"| model | cards | serve | {' | '.join(name for name, _, _ in TRAININGS)} |"
    yield "|---" * (len(TRAININGS) + 3) + "|"
    for name, size in MODELS.items():
        for card in CARDS:
            cells = [fits(serving(size, ALL_WEIGHTS, on_gpu=True), card)]
            cells += [
                fits(larger_training(size, recipe), card, shared=shared)
                for _, recipe, shared in TRAININGS
            ]
            yield f"| {name} | {card.name} | {' | '.join(cells)} |"


def larger_training(size: ModelSize, recipe: Recipe) -> int:
    """Bytes of the training, policy or PPM, that takes more."""
    policy = policy_training(size, recipe, SOLUTION_TOKENS).total
    return max(policy, ppm_training(size, recipe).total)


def _hours() -> Iterator[str]:
    yield f"| model | {' | '.join(card.name for card in CARDS)} | disk of the run |"
    yield "|---|---|---|---|---|"
    for name, size in MODELS.items():
        times = [hours(hours_of_search(size, card)) for card in CARDS]
        yield f"| {name} | {' | '.join(times)} | {gib(disk(size, ALL_WEIGHTS, NODES))} |"


INTRODUCTION = """\
What fits by arithmetic, the same that `rstar run … --dry-run` uses for your recipe and model.
Nothing on this page was measured on a GPU; [On a GPU](gpu.md) says what was. This page is
generated: `python -m rstar_async.planning.choosing > docs/choosing.md`."""

ABOUT_MEMORY = f"""\
Policy and PPM of one size. Serving in bfloat16 with a prefix cache of 4 GiB; training with
float32 weights and Adam (16 bytes a parameter), gradient checkpointing, one solution of
{SOLUTION_TOKENS} tokens a pass (`policy.micro_batch 1`), rows of 2,048 tokens for the PPM
(`ppm.max_tokens`). In bfloat16 with 8-bit Adam (`training.weights`, `training.optimizer`) a
parameter takes 6 bytes. LoRA is of rank 16 (`policy.lora`, `ppm.lora`), over float32 weights.
Trainer and servers can take turns on one card (`sglang.share_device`); then the largest figure
counts, else their sum."""

ABOUT_FITTING = """\
The larger training, of policy or PPM, alone on its cards; `ppm.train = false` leaves the PPM out.
Over several cards the weights of a training are sharded (`training.processes`)."""

ABOUT_HOURS = f"""\
Two rounds over {PROBLEMS:,} problems, as many as GSM8K has, of {TOKENS_PER_SEARCH:,} sampled
tokens each. Hours are those of searching, by an assumption: {SEQUENCES} sequences are decoded at
once at {REACHED:.0%} of the card's bandwidth ({CARDS[0].bandwidth / 1e12:g} TB/s for the card of
24 GB, {CARDS[1].bandwidth / 1e12:g} for those of 80 GB). Training comes on top. The probe of
`--dry-run` measures your own rate in half a minute."""

ABOUT_REST = """\
`training.keep_versions 1` keeps the weights of the newest versions alone. Without a GPU, the
demo's model and SmolLM2-135M are what two cores can train ([Benchmarks](benchmarks.md))."""


if __name__ == "__main__":
    print(markdown(), end="")
