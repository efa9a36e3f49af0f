"""`rstar evaluate`: accuracy over the number of trajectories, against baselines at equal tokens; or
what adaptive rollouts save against fixed ones."""

import argparse
from pathlib import Path

from rstar_async.errors import BadInput

TAKES_OVERRIDES = True
RIVALS = ("greedy", "sample", "beam")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "Any setting: --evaluation.rollouts 4, --evaluation.candidates 32, --problems.question "
        "problem, ... The same command again goes on where it stopped; more --trajectories or "
        "--problems build on what is stored."
    )
    parser.add_argument("model", type=Path, help="folder of a run, or of a published policy")
    parser.add_argument("--benchmark", default="heldout", help="heldout, or a file of problems")
    parser.add_argument("--trajectories", help="numbers of trees a problem [1,4,16,64]")
    parser.add_argument("--problems", type=int, help="only the first ones")
    parser.add_argument("--round", type=int, help="models of this round [the newest]")
    parser.add_argument(
        "--recipe", type=Path, help="test-time settings, as of recipes/paper/evaluate.toml"
    )
    parser.add_argument("--ppm", type=Path, help="folder of a published PPM, for a lone policy")
    parser.add_argument(
        "--against", default=",".join(RIVALS), help="baselines [%(default)s], or none"
    )
    parser.add_argument(
        "--schedules",
        metavar="ROLLOUTS[@CONFIDENCE],...",
        help="compare schedules of rollouts instead, problem by problem, such as 16,16@0.95: the "
        "second ends a tree when its leading answer is 95 %% sure to lead",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the table as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Make what is missing, store the figures, print the table."""
    from rstar_async.cli.output import print_table, write_json
    from rstar_async.config.loader import changed
    from rstar_async.evaluation.benchmarks import stored_problems
    from rstar_async.evaluation.display import caption, table_of
    from rstar_async.evaluation.models import find_models, with_settings_of
    from rstar_async.evaluation.request import EvaluationRequest, Results, ScheduleResults
    from rstar_async.evaluation.schedules.comparison import parse_schedules
    from rstar_async.evaluation.schedules.display import schedules_caption, schedules_table
    from rstar_async.evaluation.submit import RESULTS, submit

    settings = [*_trajectories(arguments.trajectories), *arguments.overrides]
    rivals = _rivals(arguments.against)
    schedules = parse_schedules(arguments.schedules) if arguments.schedules else ()
    found = find_models(arguments.model, arguments.round, arguments.ppm)
    recipe = changed(with_settings_of(found.recipe, arguments.recipe), settings)
    benchmark = stored_problems(recipe, found.run_id, arguments.benchmark, arguments.problems)
    home = recipe.home_folder / "evaluation"
    order = EvaluationRequest(
        kind="schedules" if schedules else "evaluate",
        recipe=recipe,
        run_id=found.run_id,
        round=found.round,
        policy=found.policy,
        ppm=found.ppm,
        problems=benchmark.problems,
        benchmark=benchmark.name,
        rivals=rivals,
        schedules=schedules,
        results=str(home / RESULTS),
    )
    reply: type[Results] | type[ScheduleResults] = ScheduleResults if schedules else Results
    results, code = submit(order, home, reply)
    if results is None:
        print("stopped; the same command again goes on from here")
        return code or 1
    if isinstance(results, ScheduleResults):
        print_table(schedules_table(results))
        print(schedules_caption(results))
    else:
        print_table(table_of(results))
        print(caption(results))
    if arguments.json is not None:
        write_json(arguments.json, results)
    return code


def _trajectories(text: str | None) -> list[tuple[str, str]]:
    if text is None:
        return []
    if not all(word.strip().isdecimal() and int(word) > 0 for word in text.split(",")):
        raise BadInput(f"--trajectories {text}: give numbers from 1 up, such as 1,4,16,64")
    return [("evaluation.trajectories", f"[{text}]")]


def _rivals(text: str) -> tuple[str, ...]:
    names = () if text == "none" else tuple(text.split(","))
    if unknown := [name for name in names if name not in RIVALS]:
        raise BadInput(f"--against {unknown[0]}: known are {', '.join(RIVALS)}, none")
    return names
