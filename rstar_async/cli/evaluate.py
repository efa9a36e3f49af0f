"""`rstar evaluate`: accuracy over the number of trajectories, against baselines at equal tokens; or
what adaptive rollouts save against fixed ones."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rstar_async.cli.numbers import whole
from rstar_async.errors import BadInput

if TYPE_CHECKING:
    from rstar_async.evaluation.request import EvaluationRequest

TAKES_OVERRIDES = True
INCOMPLETE = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "Any setting: --evaluation.rollouts 4, --evaluation.candidates 32, --problems.question "
        "problem, ... The same command again goes on where it stopped; more --trajectories or "
        "--problems build on what is stored."
    )
    parser.add_argument("model", type=Path, help="folder of a run, or of a published policy")
    parser.add_argument("--benchmark", default="heldout", help="heldout, or a file of problems")
    parser.add_argument("--trajectories", help="numbers of trees a problem [1,4,16,64]")
    parser.add_argument("--problems", type=whole(1, 1_000_000_000), help="only the first ones")
    parser.add_argument("--round", type=whole(0), help="models of this round [the newest]")
    parser.add_argument(
        "--recipe", type=Path, help="test-time settings, as of recipes/paper/evaluate.toml"
    )
    parser.add_argument("--ppm", type=Path, help="folder of a published PPM, for a lone policy")
    parser.add_argument(
        "--against",
        metavar="STRATEGY,...",
        help="baselines, such as greedy,sample,beam, or none [all that are installed]",
    )
    parser.add_argument(
        "--schedules",
        metavar="ROLLOUTS[@CONFIDENCE],...",
        help="compare schedules of rollouts instead, problem by problem, such as 16,16@0.95: the "
        "second ends a tree when its leading answer is 95 %% sure to lead",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the table as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Make what is missing, store the figures, print the table; 1 if some could not be measured."""
    from rstar_async.cli.output import note, print_folded, print_table, write_json
    from rstar_async.evaluation.display import caption, schedules_caption, schedules_table, table_of
    from rstar_async.evaluation.request import submit
    from rstar_async.evaluation.results import Results
    from rstar_async.evaluation.schedule_comparison import ScheduleResults

    request = _request(arguments)
    note(request.model.ppm_note)
    reply: type[Results] | type[ScheduleResults] = ScheduleResults if request.schedules else Results
    results, code = submit(request, request.model.recipe.home_folder / "evaluation", reply)
    if results is None:
        print("stopped; the same command again goes on from here")
        return code or 1
    if isinstance(results, ScheduleResults):
        print_table(schedules_table(results))
        print_folded(schedules_caption(results))
    else:
        print_table(table_of(results))
        print_folded(caption(results))
    if arguments.json is not None:
        write_json(arguments.json, results)
    return code or (INCOMPLETE if results.failure else 0)


def _request(arguments: argparse.Namespace) -> "EvaluationRequest":
    """What the words ask for; the problems of the benchmark are then in the store."""
    from rstar_async.config.loader import changed
    from rstar_async.evaluation.benchmarks import stored_problems
    from rstar_async.evaluation.models import find_models, with_settings_of
    from rstar_async.evaluation.request import EvaluationRequest
    from rstar_async.evaluation.schedules import parse_schedules
    from rstar_async.evaluation.trust import names_ppm, with_trusted_ppm

    settings = [*_trajectories(arguments.trajectories), *arguments.overrides]
    baselines = _baselines(arguments.against)
    schedules = parse_schedules(arguments.schedules) if arguments.schedules else ()
    model = find_models(arguments.model, arguments.round, arguments.ppm)
    recipe = changed(with_settings_of(model.recipe, arguments.recipe), settings)
    benchmark = stored_problems(recipe, model.run_id, arguments.benchmark, arguments.problems)
    named = baselines if arguments.against else []
    is_named = arguments.ppm is not None or names_ppm(arguments.overrides, named)
    model = with_trusted_ppm(replace(model, recipe=recipe), is_named=is_named)
    return EvaluationRequest(
        kind="schedules" if schedules else "evaluate",
        model=model,
        problems=benchmark.problems,
        benchmark=benchmark.name,
        baselines=baselines,
        schedules=schedules,
    )


def _trajectories(text: str | None) -> list[tuple[str, str]]:
    if text is None:
        return []
    if not all(word.strip().isdecimal() and int(word) > 0 for word in text.split(",")):
        raise BadInput(f"--trajectories {text}: give numbers from 1 up, such as 1,4,16,64")
    return [("evaluation.trajectories", f"[{text}]")]


def _baselines(text: str | None) -> list[str]:
    """The names of the wanted baselines, in the order of the registry."""
    from rstar_async.evaluation.strategies import baselines

    known = [strategy.name for strategy in baselines()]
    wanted = known if text is None else [] if text == "none" else text.split(",")
    if unknown := [name for name in wanted if name not in known]:
        raise BadInput(f"--against {unknown[0]}: known are {', '.join(known)}, none")
    return [name for name in known if name in wanted]
