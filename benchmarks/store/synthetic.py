"""A store with generated trees, from which a run can resume."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

from benchmarks.tiny_base import make_base
from rstar_async.config import (
    BootstrapConfig,
    ModelConfig,
    ProblemsConfig,
    Recipe,
    RoundConfig,
    SearchConfig,
    WorkersConfig,
)
from rstar_async.config.loader import as_toml_values
from rstar_async.data.problems import problems_of_round
from rstar_async.seeding import search_id
from storage.database import open_database
from storage.records import Expansion, Node, Problem, Record, Run, Search
from storage.records import Round as RoundRow

CHILDREN = 3
POLICY = "policy"
IN_FLIGHT = 64
RECORDS_PER_COMMIT = 5000


def recipe_in(folder: Path, searches: int, *, rounds: int = 1, database: str = "") -> Recipe:
    """Endless rounds over `searches` problems, on the scripted engine."""
    rows = [{"question": f"What is {n} + 7 + 12?", "answer": str(n + 19)} for n in range(searches)]
    problems = folder / "problems.jsonl"
    problems.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return Recipe(
        name="resume",
        home=str(folder / "home"),
        model=ModelConfig(base=POLICY),
        bootstrap=BootstrapConfig(kind="checkpoint"),
        problems=ProblemsConfig(source=str(problems)),
        search=SearchConfig(rollouts=1_000_000, candidates=CHILDREN, in_flight=IN_FLIGHT),
        database=database,
        rounds=(RoundConfig(),) * rounds,
        workers=WorkersConfig(engine="scripted", slots=1),
    )


def fill_store(recipe: Recipe, nodes_per_tree: int) -> int:
    """Fill the recipe's store and make its policy; return the number of nodes.

    Twice as many searches as are in flight are running; all others are finished.
    """
    policy = recipe.models_folder / POLICY
    make_base(policy, recipe.seed)
    (policy / "manifest.json").write_text('{"prompt_style": "tagged"}')
    problems = problems_of_round(recipe, 1)
    records = itertools.chain(_rounds(recipe), problems, _trees(recipe, problems, nodes_per_tree))
    nodes = 0
    with open_database(recipe.database_url) as database:
        while batch := list(itertools.islice(records, RECORDS_PER_COMMIT)):
            database.commit(*batch)
            nodes += sum(isinstance(record, Node) for record in batch)
    return nodes


def _rounds(recipe: Recipe) -> Iterator[Record]:
    yield Run(recipe.name, as_toml_values(recipe), recipe.seed, "benchmark")
    yield RoundRow(recipe.name, 0, "closed", "")
    yield RoundRow(recipe.name, 1, "searching", POLICY)


def _trees(recipe: Recipe, problems: list[Problem], nodes: int) -> Iterator[Record]:
    for number, problem in enumerate(problems):
        name = search_id(recipe.name, 1, "train", problem.id, recipe.seed)
        expansions = (nodes - 1) // CHILDREN
        yield Search(
            id=name,
            run_id=recipe.name,
            round=1,
            problem_id=problem.id,
            purpose="train",
            seed=recipe.seed,
            policy_id=POLICY,
            status="running" if number < 2 * IN_FLIGHT else "finished",
            rollouts=expansions // 4,
            expansions=expansions,
        )
        yield from _tree(name, expansions)


def _tree(search: str, expansions: int) -> Iterator[Record]:
    """Grown level by level, so that no leaf is deep."""
    yield _node(search, "0", 0, "root")
    paths = ["0"]
    for number in range(1, expansions + 1):
        parent = paths[number - 1]
        yield Expansion(search, number, parent, seed=number, samples=CHILDREN, unique_samples=3)
        for child in range(1, CHILDREN + 1):
            paths.append(f"{parent}.{child}")
            yield _node(search, paths[-1], number, "live")


def _node(search: str, path: str, expansion: int, status: str) -> Node:
    depth = path.count(".")
    opening = "\n<code>\n" if depth == 1 else "\n"
    text = f"{opening}# Take {path}\ntotal = {depth}\n<end_of_step>" if depth else ""
    return Node(
        search_id=search,
        path=path,
        expansion=expansion,
        depth=depth,
        text=text,
        observation="",
        tokens=tuple(range(100, 130)) if depth else (),
        observation_tokens=(),
        status="live" if status == "live" else "root",
        visits=1,
        policy_id=POLICY,
    )
