"""The process that evaluates or solves: `python -m rstar_async.evaluation --request FILE ...`.

Started beside brokers and workers by `rstar evaluate` and `rstar solve`. Killed at any moment and
started again, it goes on with what the store holds.
"""

import argparse
import os
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

import msgspec
import trio
from rich.console import Console

from rstar_async.domains.registry import domain_of
from rstar_async.errors import BadInput
from rstar_async.evaluation.attempts import Attempts
from rstar_async.evaluation.evaluate import EvaluationRun
from rstar_async.evaluation.live_tree import watch_search
from rstar_async.evaluation.progress import EvaluationProgress
from rstar_async.evaluation.request import RESULTS, EvaluationRequest, Kind
from rstar_async.evaluation.results import Results
from rstar_async.evaluation.schedule_comparison import ScheduleComparison, ScheduleResults
from rstar_async.evaluation.settings import EvaluationSettings
from rstar_async.evaluation.solve import Solved, solve
from rstar_async.evaluation.strategies import TREE, strategies
from rstar_async.evaluation.unmeasured import Unmeasured
from rstar_async.launch.sockets import clients_endpoint
from rstar_async.search.models import ActiveModels
from rstar_async.search.pools import open_pools
from rstar_async.search.runner import SearchRunner
from rstar_async.search.usable import usable
from rstar_async.telemetry import process
from rstar_async.telemetry.gc_tuning import tune_gc
from rstar_async.telemetry.progress_display import display_on
from rstar_async.wire.exception_groups import first
from rstar_async.wire.payloads import POOLS
from storage import queries
from storage.records import Problem
from storage.store import Store, open_store

BAD_INPUT = 2
NOTHING_MEASURED = os.EX_TEMPFAIL  # for the supervisor: starting it again would not help
Reply: TypeAlias = Results | ScheduleResults | Solved


def main() -> int:
    """Exit code 0 when the results are written, 2 on bad input, 75 if nothing could be measured."""
    arguments = _parser().parse_args()
    request = msgspec.json.decode(arguments.request.read_bytes(), type=EvaluationRequest)
    try:
        process.begin(arguments, "evaluation")
        reply = process.run(carry_out, request, arguments.sockets)
    except (BadInput, Unmeasured) as error:
        return _refuse(error)
    except BaseExceptionGroup as group:
        if (inside := group.subgroup((BadInput, Unmeasured))) is None:
            raise
        return _refuse(first(inside))
    results = arguments.request.with_name(RESULTS)
    draft = results.with_suffix(".draft")
    draft.write_bytes(msgspec.json.encode(reply))
    draft.replace(results)
    return 0


def _refuse(error: BaseException) -> int:
    print(f"rstar: {error}", file=sys.stderr)
    return BAD_INPUT if isinstance(error, BadInput) else NOTHING_MEASURED


@dataclass(frozen=True, slots=True)
class Context:
    """What every kind of request works with."""

    request: EvaluationRequest
    settings: EvaluationSettings
    runner: SearchRunner
    store: Store
    problems: Sequence[Problem]

    @property
    def trees(self) -> int:
        return max(self.settings.evaluation.trajectories)


async def carry_out(request: EvaluationRequest, sockets: Path) -> Reply:
    """Do what the request asks for."""
    model, recipe = request.model, request.model.recipe
    domain = domain_of(recipe)
    models = ActiveModels.load(recipe.models_folder, model.policy, model.ppm, domain.prompts)
    settings = EvaluationSettings.of(recipe, model.run_id, model.round, models, model.ppm_note)
    endpoints = {pool: clients_endpoint(sockets, pool) for pool in POOLS}
    window = settings.search.in_flight * max(settings.search.candidates, 8)
    async with (
        open_store(recipe.database_url) as store,
        domain,
        open_pools(endpoints, window=window) as pools,
    ):
        tune_gc()
        runner = SearchRunner(pools, store, domain)
        stored = await _problems(request, store)
        problems = await usable(stored, runner, skip_bad=recipe.problems.skip_bad)
        context = Context(request, settings, runner, store, problems)
        return await TASKS[request.kind](context)


async def _problems(request: EvaluationRequest, store: Store) -> list[Problem]:
    found = [await store.read(queries.problem_by_id, id_) for id_ in request.problems]
    return [problem for problem in found if problem is not None]


async def _evaluate(context: Context) -> Results:
    baselines = [strategies()[name] for name in context.request.baselines]
    store, problems = context.store, context.problems
    with display_on(Console()) as display:
        progress = EvaluationProgress(display, len(problems), context.trees)
        attempts = Attempts(context.settings, context.runner, store, progress.count)
        run = EvaluationRun(attempts, baselines, context.runner, store)
        return await run.run(context.request.benchmark, problems)


async def _compare(context: Context) -> ScheduleResults:
    schedules = context.request.schedules
    store, problems = context.store, context.problems
    with display_on(Console()) as display:
        progress = EvaluationProgress(display, len(problems), context.trees * len(schedules))
        attempts_under = partial(
            Attempts, runner=context.runner, store=store, on_attempt=progress.count
        )
        run = ScheduleComparison(context.settings, attempts_under, context.runner, store)
        return await run.run(context.request.benchmark, problems, schedules)


async def _solve(context: Context) -> Solved:
    (problem,) = context.problems
    attempts = Attempts(context.settings, context.runner, context.store)
    numbers = range(1, context.trees + 1)
    rows = [context.settings.attempt(TREE, problem, number) for number in numbers]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch_search, context.store, [row.id for row in rows], Console())
        solved = await solve(attempts, problem, context.trees, context.runner, context.store)
        nursery.cancel_scope.cancel()
    return solved


TASKS: Mapping[Kind, Callable[[Context], Awaitable[Reply]]] = {
    "evaluate": _evaluate,
    "schedules": _compare,
    "solve": _solve,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m rstar_async.evaluation")
    parser.add_argument("--request", type=Path, required=True, help="what to do, JSON")
    parser.add_argument("--sockets", type=Path, required=True, help="the brokers' ipc sockets")
    process.add_options(parser)
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
