"""Problems that a domain finds fault with, before anything is searched."""

import logging
from collections.abc import Sequence

import trio

from rstar_async.errors import BadInput
from rstar_async.sanitize import shown
from rstar_async.search.runner import SearchRunner
from storage.records import Problem

log = logging.getLogger(__name__)

NAMED = 5


async def usable(
    problems: Sequence[Problem], runner: SearchRunner, *, skip_bad: bool
) -> list[Problem]:
    """The problems that the domain can judge solutions of.

    The others are refused by name, or with `skip_bad` left out and logged.
    """
    faults: dict[str, str] = {}

    async def check(problem: Problem) -> None:
        if fault := await runner.fault(problem):
            faults[problem.id] = fault

    async with trio.open_nursery() as nursery:
        for problem in problems:
            nursery.start_soon(check, problem)
    bad = [problem for problem in problems if problem.id in faults]
    names = [f"{shown(problem.question)} ({faults[problem.id]})" for problem in bad]
    if bad and not skip_bad:
        more = f" and {len(bad) - NAMED} more" if len(bad) > NAMED else ""
        raise BadInput(
            f"{bad[0].source}: {len(bad)} of {len(problems)} problems cannot be used: "
            f"{'; '.join(names[:NAMED])}{more}; mend them, or set problems.skip_bad"
        )
    for name in names:
        log.warning("problem left out: %s", name)
    return [problem for problem in problems if problem.id not in faults]
