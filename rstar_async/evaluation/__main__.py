"""The process that measures or solves: `python -m rstar_async.evaluation --order FILE ...`.

Started beside brokers and workers by `rstar evaluate` and `rstar solve`. Killed at any moment and
started again, it goes on with what the store holds.
"""

import argparse
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import msgspec
import trio
from rich.console import Console

from rstar_async.domains.registry import domain_of
from rstar_async.errors import BadInput
from rstar_async.evaluation.dependencies import Dependencies
from rstar_async.evaluation.evaluate import EvaluationRun
from rstar_async.evaluation.live_tree import watch_search
from rstar_async.evaluation.progress import EvaluationProgress
from rstar_async.evaluation.request import EvaluationRequest, Kind, Results, ScheduleResults, Solved
from rstar_async.evaluation.schedules.runner import ScheduleComparison
from rstar_async.evaluation.settings import EvaluationSettings
from rstar_async.evaluation.solve import Solver
from rstar_async.launch.sockets import clients_endpoint
from rstar_async.search.gc_tuning import tune_gc
from rstar_async.search.models import ActiveModels
from rstar_async.search.pools import open_pools
from rstar_async.search.runner import SearchRunner
from rstar_async.telemetry import process
from rstar_async.wire.exception_groups import single
from rstar_async.wire.payloads import POOLS
from storage import queries
from storage.records import Problem
from storage.store import Store, open_store

BAD_INPUT = 2
Answer: TypeAlias = Results | ScheduleResults | Solved


def main() -> int:
    """Exit code 0 when the results are written, 2 on bad input."""
    arguments = _parser().parse_args()
    order = msgspec.json.decode(arguments.order.read_bytes(), type=EvaluationRequest)
    try:
        process.begin(arguments, "evaluation")
        process.run(carry_out, order, arguments.sockets)
    except BadInput as bad:
        return _refuse(bad)
    except BaseExceptionGroup as group:
        if (inside := group.subgroup(BadInput)) is None:
            raise
        return _refuse(single(inside))
    return 0


def _refuse(error: BaseException) -> int:
    print(f"rstar: {error}", file=sys.stderr)
    return BAD_INPUT


async def carry_out(order: EvaluationRequest, sockets: Path) -> None:
    """Do what is ordered and write its results, whole or not at all."""
    recipe = order.recipe
    domain = domain_of(recipe)
    models = ActiveModels.load(recipe.models_folder, order.policy, order.ppm, domain.prompts)
    study = EvaluationSettings.of(recipe, order.run_id, order.round, models)
    endpoints = {pool: clients_endpoint(sockets, pool) for pool in POOLS}
    window = study.search.in_flight * max(study.search.candidates, 8)
    async with (
        open_store(recipe.database_url) as store,
        domain,
        open_pools(endpoints, window=window) as pools,
    ):
        tune_gc()
        runner = SearchRunner(pools, store, domain)
        results = await TASKS[order.kind](order, study, Dependencies(runner, store))
    draft = Path(order.results).with_suffix(".draft")
    draft.write_bytes(msgspec.json.encode(results))
    draft.replace(order.results)


async def _evaluate(
    order: EvaluationRequest, study: EvaluationSettings, services: Dependencies
) -> Results:
    problems = await _problems(order, services.store)
    trees = max(study.evaluation.trajectories)
    with EvaluationProgress(Console(), len(problems), trees) as bars:
        return await EvaluationRun(order, study, services, bars.made).run(problems)


async def _compare(
    order: EvaluationRequest, study: EvaluationSettings, services: Dependencies
) -> ScheduleResults:
    problems = await _problems(order, services.store)
    trees = max(study.evaluation.trajectories) * len(order.schedules)
    with EvaluationProgress(Console(), len(problems), trees) as bars:
        return await ScheduleComparison(order, study, services, bars.made).run(problems)


async def _solve(
    order: EvaluationRequest, study: EvaluationSettings, services: Dependencies
) -> Solved:
    (problem,) = await _problems(order, services.store)
    trees = max(study.evaluation.trajectories)
    searches = [study.attempt("tree", problem, number + 1).id for number in range(trees)]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch_search, services.store, searches, Console())
        solved = await Solver(study, services).solve(problem, trees)
        nursery.cancel_scope.cancel()
    return solved


TASKS: Mapping[
    Kind, Callable[[EvaluationRequest, EvaluationSettings, Dependencies], Awaitable[Answer]]
] = {
    "solve": _solve,
    "schedules": _compare,
    "evaluate": _evaluate,
}


async def _problems(order: EvaluationRequest, store: Store) -> Sequence[Problem]:
    found = [await store.read(queries.problem_by_id, id_) for id_ in order.problems]
    return [problem for problem in found if problem is not None]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m rstar_async.evaluation")
    parser.add_argument("--order", type=Path, required=True, help="what to do, JSON")
    parser.add_argument("--sockets", type=Path, required=True, help="the brokers' ipc sockets")
    process.add_options(parser)
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
