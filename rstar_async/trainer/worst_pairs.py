"""The held-out pairs that a PPM gets most wrong, kept in its manifest for people to read. Pure.

Only where they are in the store is kept: their texts are there, and stay when others are pruned.
"""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from rstar_async.trainer.pair_accuracy import ScoredPair

KEY = "worst_pairs"
MOST = 100


def worst_pairs(pairs: Sequence[ScoredPair]) -> list[dict[str, Any]]:
    """At most 100 pairs whose rejected step scores no lower than the chosen one, the widest gap
    first: search, paths and raw scores."""
    wrong = sorted((pair for pair in pairs if pair.margin <= 0), key=attrgetter("margin"))
    return [
        {
            "search": pair.search_id,
            "chosen": pair.chosen_path,
            "rejected": pair.rejected_path,
            "chosen_score": round(pair.chosen, 4),
            "rejected_score": round(pair.rejected, 4),
        }
        for pair in wrong[:MOST]
    ]
