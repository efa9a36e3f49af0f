"""Memory of the processes of a run, by arithmetic. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rstar_async.config import Recipe
from rstar_async.planning import memory
from rstar_async.planning.model_size import ModelSize
from rstar_async.wire.payloads import POOLS

# Tokens of a solution with its question, where nothing is known of them.
SOLUTION_TOKENS = 600
TRAINERS = "trainer, "


@dataclass(frozen=True, slots=True)
class ProcessMemory:
    """`bytes_each` of each of `count` processes; `on_card`: of a GPU, where there is one."""

    name: str
    count: int
    bytes_each: int
    on_card: bool = False

    @property
    def total(self) -> int:
        return self.count * self.bytes_each


def memory_of_processes(
    recipe: Recipe, size: ModelSize | None, *, on_gpu: bool
) -> Iterator[ProcessMemory]:
    """Those of a model whose size is not known are left out."""
    plain = len(POOLS) + recipe.workers.coordinators
    yield ProcessMemory("broker, coordinator", plain, memory.PLAIN_PROCESS)
    yield ProcessMemory("executor", recipe.workers.executor, 2 * memory.PLAIN_PROCESS)
    if size is None:
        return
    served = memory.serving(size, recipe, on_gpu=on_gpu)
    yield ProcessMemory("inference", recipe.workers.inference, served, on_gpu)
    if recipe.ppm.train:
        served = memory.serving(size, recipe, on_gpu=on_gpu, ppm=True)
        yield ProcessMemory("reward", recipe.workers.reward, served, on_gpu)
    if recipe.policy.train:
        tokens = min(SOLUTION_TOKENS, recipe.search.max_tokens * recipe.search.max_depth)
        policy = memory.policy_training(size, recipe, tokens, on_gpu=on_gpu).total
        yield ProcessMemory(f"{TRAINERS}policy", recipe.training.processes, policy, on_gpu)
    if recipe.ppm.train:
        ppm = memory.ppm_training(size, recipe, on_gpu=on_gpu).total
        yield ProcessMemory(f"{TRAINERS}PPM", recipe.training.processes, ppm, on_gpu)


def needed_at_once(processes: Iterable[ProcessMemory], *, on_card: bool) -> int:
    """Of a GPU, or of main memory. The two trainings are never at once."""
    there = [one for one in processes if one.on_card is on_card]
    trainings = [one.total for one in there if one.name.startswith(TRAINERS)]
    others = [one.total for one in there if not one.name.startswith(TRAINERS)]
    return sum(others) + max(trainings, default=0)
