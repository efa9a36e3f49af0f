"""Numbers on the command line, each with bounds."""

import argparse
import math
from collections.abc import Callable

MOST = 1_000_000


def whole(least: int, most: int = MOST) -> Callable[[str], int]:
    """A type for `add_argument`: whole numbers from `least` to `most`."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:  # no number, or one of thousands of digits
            number = least - 1
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"give a whole number from {least} to {most:,}")
        return number

    return read


def amount(above: float, most: float = MOST) -> Callable[[str], float]:
    """A type for `add_argument`: finite numbers above `above`, up to `most`."""

    def read(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not above < number <= most:
            raise argparse.ArgumentTypeError(f"give a number above {above:g}, at most {most:,.10g}")
        return number

    return read
