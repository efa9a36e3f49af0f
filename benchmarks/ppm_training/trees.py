"""Trees for `ppm_training`: searched with the demo's model, read as the trainer reads them."""

import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from msgspec import structs

from rstar_async.config import PPMConfig, Recipe
from rstar_async.config.loader import read_stored_recipe
from rstar_async.data.preferences import PairRules, Preference
from rstar_async.search.paths import path_from_root
from rstar_async.trainer.build_dataset import stored_trees
from rstar_async.trainer.context import TrainingContext
from rstar_async.trainer.dataset import labelled_tree
from rstar_async.trainer.packing import LabelledTree, PackedTree, pack
from storage import queries
from storage.database import open_database

TREES_PER_STEP = PPMConfig().batch_trees
# The paper's rollouts and candidates, the demo's model; only a small policy is trained.
RECIPE = """
name = "trees"
bootstrap = {{ kind = "checkpoint" }}
rounds = [{{ problems = {problems}, levels = [4, 5, 6] }}]
policy = {{ learn_from = "demonstrations" }}
ppm = {{ train = false }}
evaluation = {{ problems = 1, samples = 1, search = false }}
workers = {{ rows = 256 }}
[search]
rollouts = 16
candidates = 8
max_depth = 12
max_tokens = 40
in_flight = 48
"""


Sequences: TypeAlias = list[tuple[list[int], list[int]]]


@dataclass(frozen=True)
class Step:
    """The trees of one optimiser step, and the same preferences as pairs of whole sequences."""

    packed: list[PackedTree]
    sequences: Sequences


@dataclass(frozen=True)
class Trees:
    """All preferences of a run by optimiser step; `model` is the folder of the searching policy."""

    model: Path
    steps: list[Step]

    @property
    def packed(self) -> list[PackedTree]:
        return [tree for step in self.steps for tree in step.packed]

    @property
    def sequences(self) -> Sequences:
        return [pair for step in self.steps for pair in step.sequences]


def search(scratch: Path, problems: int) -> Path:
    """Search that many generated problems; returns the run's folder."""
    recipe, home = scratch / "trees.toml", scratch / "home"
    recipe.write_text(RECIPE.format(problems=problems))
    command = [sys.executable, "-m", "rstar_async.cli", "run", str(recipe), "--home", str(home)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return home


def read_trees(home: Path, limit: int = 0) -> Trees:
    """All trees with pairs of a run (or the first `limit`), every pair with weight 1."""
    # The run's folder may have been moved or copied.
    recipe = structs.replace(read_stored_recipe(home / "recipe.json"), home=str(home))
    with open_database(recipe.database_url, must_exist=True) as database:
        context = TrainingContext(recipe, recipe.name, database)
        numbers = [r.number for r in database.read(queries.rounds_of, context.run) if r.number]
        policy = context.newest_policy(0)
        trees = list(_with_pairs(context, numbers))[: limit or None]
    length = context.max_length(recipe.ppm.max_length, policy)
    batches = [trees[i : i + TREES_PER_STEP] for i in range(0, len(trees), TREES_PER_STEP)]
    return Trees(context.folder(policy), [_step(trees, recipe, length) for trees in batches])


def _with_pairs(context: TrainingContext, numbers: list[int]) -> Iterable[LabelledTree]:
    encoder = context.encoder(context.newest_policy(0))
    for stored in stored_trees(context, numbers):
        for one in stored:
            tree = labelled_tree(one, encoder, PairRules())
            if tree.pairs:
                yield tree


def _step(trees: list[LabelledTree], recipe: Recipe, length: int) -> Step:
    packed: list[PackedTree] = []
    sequences: Sequences = []
    for tree in trees:
        parts, kept = pack(tree, length, recipe.ppm.max_tokens)
        packed += [_unweighted(part) for part in parts]
        sequences += [
            (_ids(tree, pair.chosen), _ids(tree, pair.rejected))
            for pair in kept
            if isinstance(pair, Preference)
        ]
    return Step(packed, sequences)


def _unweighted(tree: PackedTree) -> PackedTree:
    comparisons = [(better, worse, 1.0) for better, worse, _ in tree.comparisons]
    return replace(tree, comparisons=comparisons)


def _ids(tree: LabelledTree, path: str) -> list[int]:
    """The whole sequence up to the end of the step at `path`."""
    return [*tree.prompt, *(token for step in path_from_root(path) for token in tree.steps[step])]
