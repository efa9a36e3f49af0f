"""The section of the page about the recipe for one card of 24 GB, process by process."""

from collections.abc import Iterator
from pathlib import Path

from rstar_async.config.loader import read_recipe
from rstar_async.planning.memory import disk, gib
from rstar_async.planning.model_size import ModelSize
from rstar_async.planning.processes import memory_of_processes, needed_at_once

RECIPE = Path(__file__).parents[2] / "recipes" / "qwen_24gb.toml"


def section(size: ModelSize, room: float, nodes: int) -> Iterator[str]:
    """Lines for a model of `size` on a card with `room` bytes to use."""
    recipe = read_recipe(RECIPE)
    processes = [one for one in memory_of_processes(recipe, size, on_gpu=True) if one.on_card]
    needed = needed_at_once(processes, on_card=True)
    yield from (ABOUT, "", "| process | memory of the card |", "|---|---|")
    for one in processes:
        yield f"| {one.name} | {gib(one.total)} |"
    yield f"| at once: both servers and the larger training | {gib(needed)} |"
    yield f"| of a card of 24 GB, a part reserved | {gib(room)} |"
    yield from ("", f"The run's folder takes {gib(disk(size, recipe, nodes))} at its end.")


ABOUT = """\
`rstar run recipes/qwen_24gb.toml` makes two rounds over GSM8K with Qwen2.5-Math-1.5B on one card.
Policy and PPM are trained by LoRA over weights in bfloat16 (`policy.lora`, `ppm.lora`,
`training.weights`); the servers stay on the card meanwhile. Add `--dry-run` to compute the same
for your machine. It has not run on such a card yet."""
