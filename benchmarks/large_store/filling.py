"""Fills a store with a run of any size in minutes: the database copies two hundred grown trees.

Rows lie on the disk as a run leaves them: of all trees that are in flight together, one expansion
after the other. Values differ from copy to copy, so that no two solutions rank alike. All rounds
but the last are closed; in the last one some searches still go on.
"""

import itertools
from collections.abc import Iterator, Sequence
from random import Random

from benchmarks.large_store.copies import Copy, copy_trees
from benchmarks.large_store.run_rows import (
    ROUND_SECONDS,
    closed_round,
    evaluation_answers,
    run_rows,
)
from benchmarks.large_store.templates import Template, templates
from rstar_async.config import Recipe
from rstar_async.data.problems import heldout_problems, problems_of_round
from rstar_async.seeding import search_id
from storage.database import Database
from storage.records import Problem, Purpose, Search
from tests.view import generated

IN_FLIGHT = 64
UNDER_WAY = IN_FLIGHT
WAVE_SECONDS = 60.0


def fill(database: Database, recipe: Recipe) -> None:
    """Store the run of `recipe`: a tree of each problem in each of its rounds, and of each held-out
    problem in each closed one."""
    trained, heldout = problems_of_round(recipe, 1), heldout_problems(recipe)
    database.commit(*run_rows(recipe), *trained, *heldout)
    unguided = templates(database, recipe, trained, guided=False)
    guided = templates(database, recipe, trained, guided=True)
    last = len(recipe.rounds)
    for number in range(1, last + 1):
        grown = guided if number > 1 else unguided
        work: list[tuple[Purpose, Problem]] = [("train", problem) for problem in trained]
        work += [("evaluation", problem) for problem in heldout if number < last]
        copies = _copies(recipe, number, work, grown)
        while wave := list(itertools.islice(copies, IN_FLIGHT)):
            database.change(copy_trees, wave)
        if number < last:
            database.commit(*closed_round(recipe, number))
            database.commit(*evaluation_answers(recipe, number, heldout))


def _copies(
    recipe: Recipe,
    number: int,
    work: Sequence[tuple[Purpose, Problem]],
    grown: Sequence[Template],
) -> Iterator[Copy]:
    """The searches of a round. Problems differ in how hard they are, and later rounds solve more of
    them; the last searches of the last round are under way."""
    last = number == len(recipe.rounds)
    open_from = len(work) - (UNDER_WAY if last else 0)
    for place, (purpose, problem) in enumerate(work):
        skill = 0.2 * number + Random(problem.id).random() - 0.6
        template = grown[int(min(0.999, max(0.0, skill)) * len(grown))]
        started = generated.START + ROUND_SECONDS * number + WAVE_SECONDS * (place // IN_FLIGHT)
        over = place < open_from
        id_ = search_id(recipe.name, number, purpose, problem.id, recipe.seed)
        search = Search(
            id=id_,
            run_id=recipe.name,
            round=number,
            problem_id=problem.id,
            purpose=purpose,
            seed=recipe.seed,
            policy_id=f"policy-{number - 1}",
            ppm_id=f"ppm-{number - 1}" if number > 1 else None,
            status="finished" if over else "running",
            rollouts=template.expansions // 4,
            expansions=template.expansions,
            solved=template.solved if over else None,
            started_at=started,
            finished_at=started + WAVE_SECONDS if over else None,
            seconds=WAVE_SECONDS,
            ended="rollouts" if over else "",
        )
        trained_on = purpose == "train" and not last
        yield Copy(search, template, Random(id_).uniform(0.8, 1.0), started, trained_on)
