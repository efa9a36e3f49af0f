"""The problems of a run: generated, or read from files."""

import functools
import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from msgspec import structs

from rstar_async.config import ProblemsConfig, Recipe
from rstar_async.data.files import read_rows
from rstar_async.data.heldout import set_aside
from rstar_async.data.rows import BadRows, OnBad
from rstar_async.domains.base import GeneratedProblem
from rstar_async.domains.columns import label_column
from rstar_async.domains.registry import domain_class, domain_of
from rstar_async.errors import BadInput
from rstar_async.sanitize import shown
from storage.records import Problem, Split, problem_id

log = logging.getLogger(__name__)


def problems_of_round(recipe: Recipe, number: int) -> list[Problem]:
    """The problems to search in round `number`, in a fixed order."""
    round_ = recipe.rounds[number - 1]
    if recipe.problems.source == "generated":
        levels = round_.levels or recipe.bootstrap.levels
        seed = recipe.seed * 1000 + number
        made = domain_of(recipe).generate(round_.problems or 100, levels, seed, "train")
        return [_generated(recipe.name, problem, "train") for problem in made]
    pool, _ = read_problems(recipe.name, recipe.problems)
    return _of_round(pool, recipe, number)


def heldout_problems(recipe: Recipe) -> list[Problem]:
    """The problems that are only measured on, never searched for training."""
    wanted = recipe.evaluation.problems
    if recipe.problems.source == "generated":
        levels = recipe.problems.heldout_levels
        made = domain_of(recipe).generate(wanted or 60, levels, recipe.seed, "heldout")
        return [_generated(recipe.name, problem, "heldout") for problem in made]
    _, heldout = read_problems(recipe.name, recipe.problems)
    return heldout[: wanted or None]


def check_problems(recipe: Recipe) -> None:
    """`BadInput` if the problems of a run cannot be had."""
    if recipe.problems.source == "generated":
        heldout_problems(recipe)
        if recipe.rounds:
            problems_of_round(recipe, 1)
    else:
        pool, _ = read_problems(recipe.name, recipe.problems)
        for number in range(1, len(recipe.rounds) + 1):
            _of_round(pool, recipe, number)


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


def _of_round(pool: list[Problem], recipe: Recipe, number: int) -> list[Problem]:
    round_ = recipe.rounds[number - 1]
    if round_.skip >= len(pool):
        raise BadInput(
            f"round {number} skips {round_.skip:,} problems, and {recipe.problems.source} has "
            f"{len(pool):,} to search"
        )
    return pool[round_.skip :][: round_.problems or None]


def problems_in(run: str, source: str, settings: ProblemsConfig, split: Split) -> list[Problem]:
    """The different problems of a file or data set (see `data.files`), in its order.

    Rows that cannot be used are refused by place, or with `skip_bad` left out, counted and logged.
    So is a question that has several answers, since nobody can know which is right.
    """
    bad = BadRows(source, leave_out=settings.skip_bad)
    found = _without_contradictions(_read(run, source, settings, split, bad.add), bad.add)
    bad.refuse_any()
    if not found:
        why = f" that can be used: {bad.named()}" if bad.count else ""
        raise BadInput(f"{source} holds no problems{why}")
    if bad.count:
        _warn_once(bad.summary(len(found)))
    return found


@functools.cache
def _warn_once(text: str) -> None:
    """A file is read for several questions; what is wrong with it is said once a process."""
    log.warning("%s", text)


def _read(
    run: str, source: str, settings: ProblemsConfig, split: Split, on_bad: OnBad
) -> Iterator[tuple[str, Problem]]:
    domain = domain_class(settings.domain)
    for where, row in read_rows(source, on_bad):
        try:
            question, answer = domain.read_problem(row, settings, where)
        except BadInput as error:
            on_bad(error)
            continue
        yield (
            where,
            Problem(
                id=problem_id(run, question),
                run_id=run,
                question=question,
                answer=answer,
                kind=label_column(row, "type") or label_column(row, "kind"),
                level=label_column(row, "level"),
                source=Path(source).name,
                split=split,
            ),
        )


def _without_contradictions(
    problems: Iterable[tuple[str, Problem]], on_bad: OnBad
) -> list[Problem]:
    """One problem for each question; none for a question with several answers."""
    first: dict[str, tuple[str, Problem]] = {}
    contradicted: set[str] = set()
    for where, problem in problems:
        place, earlier = first.setdefault(problem.id, (where, problem))
        if earlier.answer != problem.answer:
            contradicted.add(problem.id)
            here, there = shown(problem.answer), shown(earlier.answer)
            on_bad(BadInput(f"{where}: the answer is {here}, but {place} says {there}"))
    return [problem for _, problem in first.values() if problem.id not in contradicted]


def _refuse_overlap(
    train: Sequence[Problem], heldout: Sequence[Problem], of: ProblemsConfig
) -> None:
    common = {p.id for p in train} & {p.id for p in heldout}
    if common:
        example = next(p.question for p in heldout if p.id in common)
        raise BadInput(
            f"{len(common)} questions are in {of.source} and in {of.heldout_source} too, "
            f"for example {shown(example)}; held-out problems must not be trained on"
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
