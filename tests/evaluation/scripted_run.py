"""A finished run whose models are the scripted engine's: a home, a store, two empty versions."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rstar_async.config import EvaluationConfig, ProblemsConfig, Recipe, SearchConfig, WorkersConfig
from rstar_async.config.loader import as_toml_values
from rstar_async.demo.tokenizer import tiny_tokenizer
from rstar_async.launch.home import prepare_home
from storage.database import open_database
from storage.records import ModelVersion, Problem, Round, Run, problem_id

POLICY, PPM = "policy-r001-00000000", "ppm-r001-00000000"
# What the training of a PPM measures that is no better than its baselines.
DOUBTFUL = {
    "trusted": False,
    "pair_accuracy_by_problem": 0.51,
    "pair_accuracy_shorter": 0.5,
    "pair_accuracy_likelier": 0.48,
}


def make_run(
    home: Path, ppm_metrics: Mapping[str, Any] | None = None, *, domain: str = "math"
) -> Recipe:
    """Its script adds up the numbers of a question, or writes a function that does."""
    recipe = Recipe(
        name="scripted",
        home=str(home),
        search=SearchConfig(max_tokens=64, in_flight=8),
        evaluation=EvaluationConfig(rollouts=3, candidates=3, beam_width=2, beam_candidates=3),
        workers=WorkersConfig(engine="scripted", executor=1),
        problems=ProblemsConfig(domain=domain),
    )
    prepare_home(recipe)
    with open_database(recipe.database_url) as database:
        database.commit(
            Run(recipe.name, as_toml_values(recipe), 1, "test"),
            Round(recipe.name, 1, "closed", POLICY, PPM),
            _version(recipe, POLICY, "policy", {}),
            _version(recipe, PPM, "ppm", ppm_metrics or {}),
        )
    return recipe


def write_benchmark(file: Path, count: int) -> Path:
    rows = [
        {"problem": f"What is {n} + {n + 3} + {2 * n}?", "solution": str(4 * n + 3)}
        for n in range(1, count + 1)
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def trained_problem(recipe: Recipe, question: str) -> Problem:
    return Problem(problem_id(recipe.name, question), recipe.name, question, "7")


def _version(recipe: Recipe, name: str, kind: str, metrics: Mapping[str, Any]) -> ModelVersion:
    folder = recipe.models_folder / name
    folder.mkdir()
    manifest: dict[str, Any] = {"id": name, "kind": kind, "round": 1, "prompt_style": "tagged"}
    manifest["metrics"] = dict(metrics)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    tiny_tokenizer().save(str(folder / "tokenizer.json"))
    return ModelVersion(
        name,
        recipe.name,
        kind,
        1,
        None,
        str(folder),
        "published",
        manifest=manifest,
        metrics=dict(metrics),
    )
