"""Trees for `ppm_training`: searched by the demo's model, read as the trainer reads them."""

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
from rstar_async.trainer.build_dataset import stored_trees
from rstar_async.trainer.context import TrainingContext
from rstar_async.trainer.dataset import labelled_tree
from rstar_async.trainer.packing import LabelledTree, PackedTree, pack
from storage import queries
from storage.database import open_database

TREES_PER_STEP = PPMConfig().batch_trees
# The paper's rollouts and candidates, the demo's model; nothing is trained but the smallest policy.
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
class Stand:
    """The trees of one optimiser step, and the same preferences as pairs of whole sequences."""

    packed: list[PackedTree]
    sequences: Sequences


@dataclass(frozen=True)
class Trees:
    """All preferences of a run, step by step; `model` is the folder of the policy that searched."""

    model: Path
    stands: list[Stand]

    @property
    def packed(self) -> list[PackedTree]:
        return [tree for stand in self.stands for tree in stand.packed]

    @property
    def sequences(self) -> Sequences:
        return [pair for stand in self.stands for pair in stand.sequences]


def search(scratch: Path, problems: int) -> Path:
    """Search so many generated problems; the run's folder."""
    recipe, home = scratch / "trees.toml", scratch / "home"
    recipe.write_text(RECIPE.format(problems=problems))
    command = [sys.executable, "-m", "rstar_async.cli", "run", str(recipe), "--home", str(home)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return home


def read_trees(home: Path, limit: int = 0) -> Trees:
    """All trees with pairs of a run (or the first `limit`), every pair with weight 1."""
    # A run's folder may have been moved or copied since.
    recipe = structs.replace(read_stored_recipe(home / "recipe.json"), home=str(home))
    with open_database(recipe.database_url, must_exist=True) as database:
        context = TrainingContext(recipe, recipe.name, database)
        numbers = [r.number for r in database.read(queries.rounds_of, context.run) if r.number]
        policy = context.newest_policy(0)
        trees = list(_with_pairs(context, numbers))[: limit or None]
    length = context.max_length(recipe.ppm.max_length, policy)
    steps = [trees[i : i + TREES_PER_STEP] for i in range(0, len(trees), TREES_PER_STEP)]
    return Trees(context.folder(policy), [_both_ways(step, recipe, length) for step in steps])


def _with_pairs(context: TrainingContext, numbers: list[int]) -> Iterable[LabelledTree]:
    encoder = context.encoder(context.newest_policy(0))
    for stored in stored_trees(context, numbers):
        for one in stored:
            tree = labelled_tree(one, encoder, PairRules())
            if tree.pairs:
                yield tree


def _both_ways(trees: list[LabelledTree], recipe: Recipe, length: int) -> Stand:
    packed: list[PackedTree] = []
    sequences: Sequences = []
    for tree in trees:
        parts, kept = pack(tree, length, recipe.ppm.max_tokens)
        packed += [replace(part, pairs=[(c, r, 1.0) for c, r, _ in part.pairs]) for part in parts]
        sequences += [
            (_ids(tree, pair.chosen), _ids(tree, pair.rejected))
            for pair in kept
            if isinstance(pair, Preference)
        ]
    return Stand(packed, sequences)


def _ids(tree: LabelledTree, path: str) -> list[int]:
    """The whole sequence up to the end of the step at `path`."""
    names = path.split(".")
    line = [".".join(names[:depth]) for depth in range(2, len(names) + 1)]
    return [*tree.prompt, *(token for step in line for token in tree.steps[step])]
