"""`rstar solve`: one question searched on this machine; the tree grows in the terminal."""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rstar_async.cli.numbers import whole
from rstar_async.errors import BadInput
from rstar_async.sanitize import without_surrogates

if TYPE_CHECKING:
    from rstar_async.config import Recipe
    from rstar_async.evaluation.models import ModelRef
    from rstar_async.evaluation.request import EvaluationRequest

TAKES_OVERRIDES = True
NO_ANSWER = 1
QUESTION_CHARACTERS = 100_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "Any setting: --evaluation.rollouts 16, --evaluation.candidates 32, ..."
    parser.add_argument("question", help="in quotation marks; - reads it from standard input")
    parser.add_argument(
        "--model", type=Path, required=True, help="folder of a run, or of a published policy"
    )
    parser.add_argument(
        "--recipe", type=Path, help="test-time settings, as of recipes/paper/evaluate.toml"
    )
    parser.add_argument("--ppm", type=Path, help="folder of a published PPM, for a lone policy")
    parser.add_argument("--round", type=whole(0), help="models of this round [the newest]")
    parser.add_argument(
        "--trajectories", type=whole(1), default=4, help="trees at once [%(default)s]"
    )
    parser.add_argument("--home", type=Path, help="keep the trees here, for `rstar view`")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Print the answer with its solution; 1 if no trajectory came to an answer."""
    from rstar_async.cli.output import json_text, note
    from rstar_async.evaluation.display import show_solved
    from rstar_async.evaluation.models import find_models, with_own_store
    from rstar_async.evaluation.request import submit
    from rstar_async.evaluation.solve import Solved
    from rstar_async.evaluation.trust import names_ppm, with_trusted_ppm

    question = _question(arguments.question)
    found = find_models(arguments.model, arguments.round, arguments.ppm)
    configured = replace(found, recipe=_recipe(found.recipe, arguments))
    is_named = arguments.ppm is not None or names_ppm(arguments.overrides)
    model = with_trusted_ppm(configured, is_named=is_named)
    note(model.ppm_note)
    with _home(arguments.home) as home:
        request = _request(with_own_store(model, home), question)
        solved, code = submit(request, home, Solved)
    if solved is None:
        return code or NO_ANSWER
    if arguments.json:
        print(json_text(solved), end="")
    else:
        show_solved(solved)
        if arguments.home is not None:
            print(f"next       rstar tree {arguments.home} {solved.search_id}")
    return 0 if solved.answer else NO_ANSWER


def _question(text: str) -> str:
    given = sys.stdin.read() if text == "-" else text
    question = without_surrogates(given).strip()
    if not question:
        raise BadInput("the question is empty")
    if len(question) > QUESTION_CHARACTERS:
        raise BadInput(f"the question has {len(question):,} characters, more than any model reads")
    return question


@contextmanager
def _home(wanted: Path | None) -> Iterator[Path]:
    """The folder to keep the trees in, or one that is deleted afterwards."""
    if wanted is not None:
        yield wanted
        return
    with tempfile.TemporaryDirectory(prefix="rstar-solve-") as folder:
        yield Path(folder)


def _recipe(recipe: "Recipe", arguments: argparse.Namespace) -> "Recipe":
    from rstar_async.config.loader import changed
    from rstar_async.evaluation.models import with_settings_of

    trees = ("evaluation.trajectories", f"[{arguments.trajectories}]")
    settings = with_settings_of(recipe, arguments.recipe)
    return changed(settings, [trees, *arguments.overrides])


def _request(model: "ModelRef", question: str) -> "EvaluationRequest":
    """The model, and the question put into its store."""
    from rstar_async.evaluation.request import EvaluationRequest
    from storage.database import open_database
    from storage.records import Problem, problem_id

    id_ = problem_id(model.run_id, question)
    with open_database(model.recipe.database_url) as database:
        database.commit(Problem(id_, model.run_id, question, "", split="heldout"))
    return EvaluationRequest(
        kind="solve",
        model=model,
        problems=[id_],
        benchmark="question",
    )
