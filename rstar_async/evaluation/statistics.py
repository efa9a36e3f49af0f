"""Means with intervals, where the problem, not the sample, is the unit of chance."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

Z95 = 1.959964


@dataclass(frozen=True, slots=True)
class Share:
    """A mean in [0, 1] with its 95 % interval."""

    mean: float
    low: float
    high: float


def share_with_interval(per_problem: Sequence[float]) -> Share:
    """Mean of per-problem success rates; normal interval over problems, Wilson's if all are 0 or 1.

    Several samples of one problem are not independent, so they are averaged first.
    """
    count = len(per_problem)
    if count == 0:
        return Share(0.0, 0.0, 1.0)
    mean = sum(per_problem) / count
    if all(rate in (0.0, 1.0) for rate in per_problem):
        return _wilson(mean, count)
    variance = sum((rate - mean) ** 2 for rate in per_problem) / max(1, count - 1)
    margin = Z95 * math.sqrt(variance / count)
    return Share(mean, max(0.0, mean - margin), min(1.0, mean + margin))


def _wilson(mean: float, count: int) -> Share:
    scale = 1 + Z95**2 / count
    centre = (mean + Z95**2 / (2 * count)) / scale
    margin = Z95 / scale * math.sqrt(mean * (1 - mean) / count + Z95**2 / (4 * count**2))
    return Share(mean, max(0.0, centre - margin), min(1.0, centre + margin))
