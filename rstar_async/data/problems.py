"""The problems of a run: generated, or read from files."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import structs

from rstar_async.config import ProblemsConfig, Recipe
from rstar_async.data.files import read_rows
from rstar_async.data.heldout import set_aside
from rstar_async.domains.base import GeneratedProblem
from rstar_async.domains.registry import domain_class, domain_of
from rstar_async.errors import BadInput
from storage.records import Problem, Split, problem_id


def problems_of_round(recipe: Recipe, number: int) -> list[Problem]:
    """The problems to search in round `number`, in a fixed order."""
    round_ = recipe.rounds[number - 1]
    if recipe.problems.source == "generated":
        made = generated_problems(recipe, number)
        return [_generated(recipe.name, problem, "train") for problem in made]
    pool, _ = read_problems(recipe.name, recipe.problems)
    return pool[: round_.problems or None]


def generated_problems(recipe: Recipe, number: int) -> Sequence[GeneratedProblem]:
    """Those of round `number` with their solutions, for `problems.source = "generated"`."""
    round_ = recipe.rounds[number - 1]
    levels = round_.levels or recipe.bootstrap.levels
    seed = recipe.seed * 1000 + number
    return domain_of(recipe).generate(round_.problems or 100, levels, seed, "train")


def heldout_problems(recipe: Recipe) -> list[Problem]:
    """The problems that are only measured on, never searched for training."""
    wanted = recipe.evaluation.problems
    if recipe.problems.source == "generated":
        levels = recipe.problems.heldout_levels
        made = domain_of(recipe).generate(wanted or 60, levels, recipe.seed, "heldout")
        return [_generated(recipe.name, problem, "heldout") for problem in made]
    _, heldout = read_problems(recipe.name, recipe.problems)
    return heldout[: wanted or None]


def read_problems(run: str, settings: ProblemsConfig) -> tuple[list[Problem], list[Problem]]:
    """Training and held-out problems from files; a question in both is refused."""
    rows = problems_in(run, settings.source, settings, "train")[: settings.limit or None]
    if settings.heldout_source:
        heldout = problems_in(run, settings.heldout_source, settings, "heldout")
        _refuse_overlap(rows, heldout, settings)
        return rows, heldout
    if settings.heldout == "auto":
        return set_aside(rows)
    if settings.heldout >= len(rows):
        raise BadInput(
            f"{settings.source} has {len(rows)} problems, so problems.heldout={settings.heldout} "
            "leaves none to search"
        )
    cut = len(rows) - settings.heldout
    return rows[:cut], [structs.replace(problem, split="heldout") for problem in rows[cut:]]


def problems_in(run: str, source: str, settings: ProblemsConfig, split: Split) -> list[Problem]:
    """The different problems of a file or data set (see `data.files`), in its order."""
    return list({p.id: p for p in _read(run, source, settings, split)}.values())


def _read(run: str, source: str, settings: ProblemsConfig, split: Split) -> Iterator[Problem]:
    domain = domain_class(settings.domain)
    for where, row in read_rows(source):
        question, answer = domain.read_problem(row, settings, where)
        yield Problem(
            id=problem_id(run, question),
            run_id=run,
            question=question,
            answer=answer,
            kind=str(row.get("type", row.get("kind", ""))),
            level=str(row.get("level", "")),
            source=Path(source).name,
            split=split,
        )


def _refuse_overlap(
    train: Sequence[Problem], heldout: Sequence[Problem], of: ProblemsConfig
) -> None:
    common = {p.id for p in train} & {p.id for p in heldout}
    if common:
        example = next(p.question for p in heldout if p.id in common)
        raise BadInput(
            f"{len(common)} questions are in {of.source} and in {of.heldout_source} too, "
            f"for example {example[:80]!r}; held-out problems must not be trained on"
        )


def _generated(run: str, problem: GeneratedProblem, split: Split) -> Problem:
    return Problem(
        id=problem_id(run, problem.question),
        run_id=run,
        question=problem.question,
        answer=problem.answer,
        kind=problem.kind,
        level=str(problem.level),
        source="generated",
        split=split,
    )
