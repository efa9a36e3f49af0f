"""Which tokens of two steps are compared, and which steps count as good ones. Pure.

Eq. 4 of the paper compares two steps at their last tokens. With a head that starts at zero, that
loss can stay at log 2 for a whole training, because siblings often differ in one word far from the
last token. Comparing every token from the first that differs avoids the plateau (figures in
docs/paper.md). Whole solutions are always compared at their last tokens.
"""

from collections.abc import Sequence

from rstar_async.config import ScoreAt
from rstar_async.data.preferences import Preference
from rstar_async.search.paths import parent_of, path_from_root

Offsets = list[tuple[int, int]]


def compared_offsets(
    pair: Preference, chosen: Sequence[int], rejected: Sequence[int], score_at: ScoreAt
) -> Offsets:
    """Pairs of offsets into the token ids of the `chosen` and the `rejected` step.

    The last pair is always that of the two last tokens. Empty for siblings with the same ids.
    """
    siblings = parent_of(pair.chosen) == parent_of(pair.rejected)
    last = len(chosen) - 1, len(rejected) - 1
    if siblings and list(chosen) == list(rejected):
        return []
    if not siblings or score_at == "last_token":
        return [last]
    shorter = min(len(chosen), len(rejected))
    first = next((i for i in range(shorter) if chosen[i] != rejected[i]), shorter)
    aligned = [(i, i) for i in range(first, shorter)]
    return aligned if last in aligned else [*aligned, last]


def path_weights(pairs: Sequence[Preference]) -> dict[str, float]:
    """The weight of each step on the path to a chosen one, itself included, as a good step.

    A pair's weight is shared evenly among the steps of its path. A step that another pair rejects
    is left out.
    """
    rejected = {pair.rejected for pair in pairs}
    weights: dict[str, float] = {}
    for pair in pairs:
        path = path_from_root(pair.chosen)
        for step in path:
            if step not in rejected:
                weights[step] = weights.get(step, 0.0) + pair.weight / len(path)
    return weights
