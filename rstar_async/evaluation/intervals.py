"""Means with intervals; the problem, not the sample, is the unit of chance."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

Z95 = 1.959964


@dataclass(frozen=True, slots=True)
class Share:
    """A mean, of most things in [0, 1], with its 95 % interval."""

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
    _, margin = _normal(per_problem)
    return Share(mean, max(0.0, mean - margin), min(1.0, mean + margin))


def mean_difference(ones: Sequence[float], others: Sequence[float]) -> Share:
    """Mean of `ones` less that of `others`: shares of the same problems in the same order. One
    problem alone says nothing of chance, so its interval holds every difference."""
    differences = [one - other for one, other in zip(ones, others, strict=True)]
    mean, margin = _normal(differences)
    return _difference(mean, margin)


def difference_of_means(ones: Mapping[str, float], others: Mapping[str, float]) -> Share:
    """Mean of the shares `ones` less that of `others`, each by problem; some of the problems may be
    the same, and count once for what chance did to both."""
    mean_one, mean_other = fmean(ones.values()), fmean(others.values())
    difference, fewest = mean_one - mean_other, min(len(ones), len(others))
    if fewest < 2:
        return _difference(difference, math.inf)
    errors = [
        (ones.get(problem, mean_one) - mean_one) / len(ones)
        - (others.get(problem, mean_other) - mean_other) / len(others)
        for problem in ones.keys() | others.keys()
    ]
    variance = sum(error**2 for error in errors) * fewest / (fewest - 1)
    return _difference(difference, Z95 * math.sqrt(variance))


def ratio_of_means(ones: Sequence[float], others: Sequence[float]) -> Share:
    """What all of `ones` are of all of `others`, of the same problems; interval by the delta
    method: the ratio errs by the mean of `one - ratio * other` over the mean of `others`."""
    total = sum(others)
    if not total:
        return Share(1.0, 0.0, math.inf)
    ratio = sum(ones) / total
    _, margin = _normal([one - ratio * other for one, other in zip(ones, others, strict=True)])
    margin /= total / len(others)
    return Share(ratio, max(0.0, ratio - margin), ratio + margin)


def _difference(mean: float, margin: float) -> Share:
    """Two shares cannot differ by more than 1."""
    return Share(mean, max(-1.0, mean - margin), min(1.0, mean + margin))


def _normal(values: Sequence[float]) -> tuple[float, float]:
    """Mean and half the width of its interval."""
    count = len(values)
    if count < 2:
        return (values[0] if values else 0.0), math.inf
    mean = sum(values) / count
    variance = sum((value - mean) ** 2 for value in values) / (count - 1)
    return mean, Z95 * math.sqrt(variance / count)


def _wilson(mean: float, count: int) -> Share:
    scale = 1 + Z95**2 / count
    centre = (mean + Z95**2 / (2 * count)) / scale
    margin = Z95 / scale * math.sqrt(mean * (1 - mean) / count + Z95**2 / (4 * count**2))
    return Share(mean, max(0.0, centre - margin), min(1.0, centre + margin))
