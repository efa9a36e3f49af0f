"""What could not be measured: a failure of the machinery says nothing about the model.

A search or a batch of samples whose jobs failed for good is made again, `TRIES` times in all. What
is then still missing is left out of every figure, and no figure is stored without it.
"""

from collections.abc import Iterable, Mapping

from rstar_async.errors import RstarError
from storage.queries import Attempt

TRIES = 2


class Unmeasured(RstarError):
    """Some of what was asked for could not be measured, so nothing was stored. It can be tried
    again: what was measured is kept."""


def failure_in(attempts: Iterable[Attempt]) -> str:
    """Why the first failed attempt failed; "" if none did."""
    return next((one.search.failure for one in attempts if one.search.status == "failed"), "")


def missing(what: str, failures: Mapping[str, str], asked: int) -> str:
    """One line for people; `failures` are the reasons by problem."""
    problem, reason = next(iter(failures.items()))
    return (
        f"{what}: {len(failures)} of {asked} problems could not be measured, among them {problem}: "
        f"{reason}"
    )
