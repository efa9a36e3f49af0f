"""Finished runs, one a seed, whose last models have been evaluated on fresh problems."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from benchmarks.recipe_runs import rstar, run_recipe
from benchmarks.report import Report
from rstar_async.demo.problems import WordProblem, word_problems

LEVELS = (1, 2, 3, 4, 5, 6)
# Other problems than the held-out ones of every run, which have the run's seed.
SEED = 20_000
SHORT_PROBLEMS, SHORT_TREES = 60, "1,2"

Document: TypeAlias = Mapping[str, Any]


def evaluated_runs(report: Report, folder: Path) -> Iterator[tuple[int, Path, Document]]:
    """Seed, folder of the run, and what `rstar evaluate` tells of its last models; whatever is in
    `folder` already is not made again."""
    options = report.options
    trees = SHORT_TREES if report.short else options.trajectories
    problems = options.fresh or _generated(report, folder)
    for seed in range(1, 1 + (1 if report.short else options.seeds)):
        home, result = folder / f"seed-{seed}", folder / f"guides-{seed}.json"
        run_recipe(options.recipe, home, "--seed", str(seed))
        asked = ("--benchmark", str(problems), "--trajectories", trees)
        # Also a PPM that its training did not find better than its baselines is measured.
        written = ("--ppm.trust", "always", "--json", str(result))
        yield seed, home, rstar("evaluate", str(home), *asked, *written, result=result)


def fresh_questions(report: Report) -> set[str]:
    """Of the problems that the runs were evaluated on."""
    if report.options.fresh:
        rows = report.options.fresh.read_text().splitlines()
        return {json.loads(row)["question"] for row in rows}
    return {one.question for one in _fresh(report)}


def _generated(report: Report, folder: Path) -> Path:
    """A file of them in `folder`."""
    fresh = _fresh(report)
    file = folder / f"fresh-{len(fresh)}.jsonl"
    rows = ({"question": one.question, "answer": one.answer} for one in fresh)
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return file


def _fresh(report: Report) -> list[WordProblem]:
    """The same for every run; none of them is a held-out problem of a run but by chance."""
    count = SHORT_PROBLEMS if report.short else report.options.problems
    return word_problems(count, LEVELS, SEED, "heldout")
