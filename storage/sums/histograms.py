"""Values between -1 and 1, counted in equal bins."""

import math

import msgspec

BINS = 20
SIDES = ("right", "wrong", "steps")
EDGE = 1e-9  # a value between two bins belongs to the upper one, however it was rounded


class Histograms(msgspec.Struct, frozen=True):
    """Counts in `BINS` equal bins over [-1, 1], of right answers, wrong answers and other steps."""

    right: list[int]
    wrong: list[int]
    steps: list[int]


def bin_of(value: float) -> int:
    """Which bin counts `value`; the outermost ones count what is beyond them, the lowest what is no
    number. Pure."""
    place = (value + 1.0) * (BINS / 2) + EDGE
    return math.floor(min(max(0.0, place), BINS - 1))
