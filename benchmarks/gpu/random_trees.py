"""Packed trees of random ids: for kernels, whose work depends on the shape of a tree alone."""

from collections.abc import Callable
from random import Random

from rstar_async.data.preferences import Preference
from rstar_async.trainer.packing import LabelledTree, PackedTree, pack

PROMPT, STEP = 120, 48
DEPTH, CANDIDATES = 8, 4


def random_trees(count: int, vocabulary: int, longest: int, seed: int = 1) -> list[PackedTree]:
    """Trees with `CANDIDATES` steps at each of `DEPTH` depths, the first of which goes on."""
    random = Random(seed)

    def ids(length: int) -> list[int]:
        return [random.randrange(vocabulary) for _ in range(length)]

    return [
        packed
        for number in range(count)
        for packed in pack(_tree(number, ids(PROMPT), ids), longest, 10**6)[0]
    ]


def _tree(number: int, prompt: list[int], ids: Callable[[int], list[int]]) -> LabelledTree:
    steps, pairs, trunk = dict[str, list[int]](), list[Preference](), "0"
    for _ in range(DEPTH):
        paths = [f"{trunk}.{candidate}" for candidate in range(1, CANDIDATES + 1)]
        steps |= {path: ids(STEP) for path in paths}
        pairs += [Preference(paths[0], other, "step", 1.0) for other in paths[1:]]
        trunk = paths[0]
    return LabelledTree(f"problem-{number}", f"search-{number}", prompt, steps, pairs)
