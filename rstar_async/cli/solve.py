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
DEMO = "demo"
QUESTION_CHARACTERS = 100_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "Any setting: --evaluation.rollouts 16, --evaluation.candidates 32, ..."
    parser.add_argument("question", help="in quotation marks; - reads it from standard input")
    parser.add_argument(
        "--model",
        type=Path,
        required=True,
        help="folder of a run, of a published policy or of a checkpoint; or demo",
    )
    parser.add_argument(
        "--recipe", type=Path, help="test-time settings, as of recipes/paper/evaluate.toml"
    )
    parser.add_argument("--ppm", type=Path, help="folder of a published PPM, for a lone policy")
    parser.add_argument("--round", type=whole(0), help="models of this round [the newest]")
    parser.add_argument(
        "--trajectories", type=whole(1), default=4, help="trees at once [%(default)s]"
    )
    parser.add_argument("--domain", help="the kind of problem, such as programming [the run's]")
    parser.add_argument(
        "--tests",
        type=Path,
        help="for programming: a file of assertions for the program",
    )
    parser.add_argument("--home", type=Path, help="keep the trees here, for `rstar view`")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Print the answer with its solution; 1 if no trajectory came to an answer."""
    from rstar_async.cli.output import json_text, note
    from rstar_async.evaluation.display import show_solved
    from rstar_async.evaluation.models import base_of
    from rstar_async.evaluation.request import submit
    from rstar_async.evaluation.solve import Solved

    question = _question(arguments.question)
    with _home(arguments.home) as home:
        model = _models(arguments, home)
        note(model.ppm_note)
        if base_of(model) == DEMO and model.recipe.problems.domain == "math":
            question = _for_demo(question)
        question, answer = _with_tests(question, arguments.tests, model.recipe)
        request = _request(model, question, answer)
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


def _models(arguments: argparse.Namespace, home: Path) -> "ModelRef":
    """The models to search with, in a store of their own, under the settings that were asked for;
    without a PPM that is not trusted."""
    from rstar_async.evaluation.models import find_models, with_own_store
    from rstar_async.evaluation.trust import names_ppm, with_trusted_ppm

    if str(arguments.model) == DEMO or (arguments.model / "config.json").is_file():
        return _checkpoint(arguments, home)
    found = find_models(arguments.model, arguments.round, arguments.ppm)
    configured = replace(found, recipe=_recipe(found.recipe, arguments))
    is_named = arguments.ppm is not None or names_ppm(arguments.overrides)
    return with_own_store(with_trusted_ppm(configured, is_named=is_named), home)


def _checkpoint(arguments: argparse.Namespace, home: Path) -> "ModelRef":
    """The demo's model, or a folder of weights that no run has published."""
    from rstar_async.api.models import models_in

    found = models_in(home, arguments.model, arguments.ppm)
    return replace(found, recipe=_recipe(found.recipe, arguments))


def _question(text: str) -> str:
    given = sys.stdin.read() if text == "-" else text
    question = without_surrogates(given).strip()
    if not question:
        raise BadInput("the question is empty")
    if len(question) > QUESTION_CHARACTERS:
        raise BadInput(f"the question has {len(question):,} characters, more than any model reads")
    return question


def _for_demo(question: str) -> str:
    """The question as the demo's model reads it; says which sentences that model does not know."""
    from rstar_async.cli.output import print_labelled
    from rstar_async.demo.questions import EXAMPLE, as_numbered, unknown_sentences

    unknown = unknown_sentences(question)
    for sentence in unknown:
        print_labelled("note", f"the demo's model was never shown: {sentence}", sys.stderr)
    if unknown:
        knows = "It knows sentences of its own templates only and will guess. It can read:"
        print_labelled("", knows, sys.stderr)
        print_labelled("", EXAMPLE, sys.stderr)
    return as_numbered(question)


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
    domain = [("problems.domain", arguments.domain)] if arguments.domain else []
    return changed(settings, [trees, *domain, *arguments.overrides])


def _with_tests(question: str, file: Path | None, recipe: "Recipe") -> tuple[str, str]:
    """The question with the name of the function and its first test, and the stored tests."""
    from rstar_async.domains.programming import given_tests

    if file is None:
        return question, ""
    if recipe.problems.domain != "programming":
        raise BadInput("--tests is for programs: add --domain programming")
    try:
        source = file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"--tests: cannot read {file}: {error}") from None
    return given_tests(question, source, str(file))


def _request(model: "ModelRef", question: str, answer: str) -> "EvaluationRequest":
    """The model, and the question put into its store; `answer` is "" if nobody knows it."""
    from rstar_async.evaluation.request import EvaluationRequest
    from storage.database import open_database
    from storage.records import Problem, problem_id

    id_ = problem_id(model.run_id, question)
    with open_database(model.recipe.database_url) as database:
        database.commit(Problem(id_, model.run_id, question, answer, split="heldout"))
    return EvaluationRequest(
        kind="solve",
        model=model,
        problems=[id_],
        benchmark="question",
    )
