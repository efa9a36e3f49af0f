"""Problems of a run: generated, or read from a file of questions and answers."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from msgspec import structs

from rstar_async.config import ProblemsConfig, Recipe
from rstar_async.data.files import read_rows
from rstar_async.demo.problems import WordProblem, word_problems
from rstar_async.errors import BadInput
from storage.records import Problem, Split, problem_id

GSM8K_ANSWER_MARK = "####"


def problems_of_round(recipe: Recipe, number: int) -> list[Problem]:
    """The problems to search in round `number`, in a fixed order."""
    round_ = recipe.rounds[number - 1]
    if recipe.problems.source == "generated":
        levels = round_.levels or recipe.bootstrap.levels
        made = word_problems(round_.problems or 100, levels, recipe.seed * 1000 + number, "train")
        return [_generated(recipe.name, problem, "train") for problem in made]
    pool, _ = read_problems(recipe.name, recipe.problems)
    return pool[: round_.problems or None]


def heldout_problems(recipe: Recipe) -> list[Problem]:
    """The problems that only measure; none of them is ever searched for training."""
    wanted = recipe.evaluation.problems
    if recipe.problems.source == "generated":
        levels = recipe.problems.heldout_levels
        made = word_problems(wanted or 60, levels, recipe.seed, "heldout")
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
    if settings.heldout >= len(rows):
        raise BadInput(
            f"{settings.source} has {len(rows)} problems, so problems.heldout={settings.heldout} "
            "leaves none to search"
        )
    cut = len(rows) - settings.heldout
    return rows[:cut], [structs.replace(problem, split="heldout") for problem in rows[cut:]]


def problems_in(run: str, source: str, settings: ProblemsConfig, split: Split) -> list[Problem]:
    """The different problems of a file or data set (see `formats.containers`), in its order."""
    return list({p.id: p for p in _read(run, source, settings, split)}.values())


def _read(run: str, source: str, settings: ProblemsConfig, split: Split) -> Iterator[Problem]:
    for where, row in read_rows(source):
        question = _column(row, settings.question, where)
        answer = _final_answer(_column(row, settings.answer, where))
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


def _column(row: dict[str, Any], name: str, where: str) -> str:
    if name not in row:
        have = ", ".join(map(repr, row)) or "nothing"
        raise BadInput(
            f"{where}: no column {name!r}; it has {have} "
            "(map columns with problems.question and problems.answer)"
        )
    value = str(row[name]).strip()
    if not value:
        raise BadInput(f"{where}: column {name!r} is empty")
    return value


def _final_answer(text: str) -> str:
    """GSM8K writes a whole solution and puts the answer behind a mark."""
    return text.rpartition(GSM8K_ANSWER_MARK)[2].strip() or text


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


def _generated(run: str, problem: WordProblem, split: Split) -> Problem:
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
