"""Which tokens of two steps are compared, and which steps lead to the better one. Pure.

Eq. 4 of the paper compares two steps at their last tokens. With a new head of zeros that loss can
stay at log 2 for a whole training, because siblings often differ in one word only, far from the
last token. Comparing every token from the first that differs leaves the plateau (docs/paper.md has
the figures). Whole solutions are compared at their last tokens in either case.
"""

from collections.abc import Sequence

from rstar_async.config import ScoreAt
from rstar_async.data.preferences import Preference
from rstar_async.search.paths import parent_of, path_from_root

Offsets = list[tuple[int, int]]


def compared_offsets(
    pair: Preference, chosen: Sequence[int], rejected: Sequence[int], score_at: ScoreAt
) -> Offsets:
    """Offsets into the token ids of the `chosen` and the `rejected` step, pair by pair.

    The last entry is always that of the two last tokens. Empty if the two have the same ids, which
    can teach nothing.
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
    """How much each step on the way to a chosen one, itself included, counts as a good step.

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
