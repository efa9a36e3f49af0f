"""What a whole path is worth, from the PPM's values of its steps. Pure.

The paper reads the value of the last step alone. Averaged over the path the same PPM chooses better
(docs/evaluation.md has the figures), so the rule is a setting, and by default each PPM brings the
rule that ordered the answers of its own held-out problems best.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean

from rstar_async.config import PathRule

# With too few held-out problems to choose by.
DEFAULT_RULE: PathRule = "mean"


def path_value(rule: PathRule, values: Sequence[float]) -> float:
    """The value of a path in [-1, 1] from those of its steps, first to last; at least one step."""
    return PATH_RULES[rule](values)


def _product(values: Sequence[float]) -> float:
    """As if (1 + value) / 2 were the probability that a step is right."""
    return 2 * math.prod((1 + value) / 2 for value in values) - 1


PATH_RULES: Mapping[PathRule, Callable[[Sequence[float]], float]] = {
    "last": lambda values: values[-1],
    "mean": fmean,
    "product": _product,
    "min": min,
}
