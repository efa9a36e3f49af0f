"""How much better one is than another on the same problems, with what chance adds to it."""

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass

Z95 = statistics.NormalDist().inv_cdf(0.975)


@dataclass(frozen=True)
class Difference:
    """A mean difference of success rates in percentage points, with its 95 % interval."""

    points: float
    low: float
    high: float


def difference(*pairs: tuple[Mapping[str, float], Mapping[str, float]]) -> Difference:
    """How far the second of each pair is above the first.

    The unit of chance is the problem: pairs of rates on the same problem are subtracted before
    anything is averaged, so that easy and hard problems do not widen the interval. `ValueError`
    unless both of a pair are about the same problems.
    """
    gaps: list[float] = []
    for before, after in pairs:
        if before.keys() != after.keys():
            raise ValueError("the two sides were measured on different problems")
        gaps += (100 * (after[problem] - before[problem]) for problem in before)
    mean = statistics.fmean(gaps)
    margin = Z95 * statistics.stdev(gaps) / math.sqrt(len(gaps))
    return Difference(mean, mean - margin, mean + margin)
