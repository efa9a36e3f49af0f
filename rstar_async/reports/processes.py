"""How many solutions with a right answer also have a right process, where that can be judged."""

from msgspec import ValidationError, convert

from rstar_async.config import Recipe
from rstar_async.config.started_runs import settings_of_started_run
from rstar_async.data.problems import generated_problems
from rstar_async.demo.process import is_right_process
from rstar_async.reports.contents import Process
from rstar_async.reports.solutions import solutions_of_round
from rstar_async.text import tags
from storage.database import Database
from storage.records import Run

GENERATED, MATH = "generated", "math"


def process_of_round(database: Database, run: Run, number: int) -> Process | None:
    """Of the best right solution of each problem; None unless the problems were generated, with
    solutions of their own."""
    recipe = _recipe(run)
    if recipe is None or not 1 <= number <= len(recipe.rounds):
        return None
    gold = {one.question: one.solution for one in generated_problems(recipe, number)}
    solutions = solutions_of_round(database, run.id, number, correct=True, limit=len(gold))
    verdicts = [
        is_right_process(program_in(one.text), program_in(gold[one.question]))
        for one in solutions
        if one.question in gold
    ]
    if not verdicts:
        return None
    return Process(verdicts.count(True), verdicts.count(False), verdicts.count(None))


def _recipe(run: Run) -> Recipe | None:
    """The recipe of a run over generated problems; None for any other."""
    settings, _ = settings_of_started_run(run.recipe)
    problems = run.recipe.get("problems", {})
    if problems.get("source") != GENERATED or problems.get("domain", MATH) != MATH:
        return None
    try:
        return convert(settings, Recipe)
    except ValidationError:  # of a version that had other settings
        return None


def program_in(solution: str) -> str:
    """The program of a solution in the trajectory format. Pure."""
    program = solution.partition(tags.CODE)[2].partition(tags.END_OF_CODE)[0]
    return program.replace(tags.END_OF_STEP, "")
