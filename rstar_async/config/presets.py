"""The two settings that people mean by "rStar-Math": the paper's, and those of the released code.

They differ in more than rollouts, and results have been compared across them by mistake. A recipe
starts from one with `preset = "paper"`; `rstar presets` prints the differences. Settings that the
paper does not give are those of the code; a comment says so. Differences that are not settings,
such as leaking interpreters, are in docs/paper.md.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from rstar_async.config import Preset, Recipe, RoundConfig
from rstar_async.config.layers import flattened, merged, unflattened

_BOTH: Mapping[str, Any] = {
    "bootstrap.kind": "few_shot",
    "search.max_depth": 16,
    "search.path_value": "last",
    "search.exploration": 2.0,
    "search.max_tokens": 2048,  # the code's; the paper does not say
    "policy.trajectories_per_problem": 2,
    "policy.history": "round",
    "policy.start": "base",
    "policy.epochs": 2.0,
    "policy.batch_size": 128,
    "policy.learning_rate": 7e-6,
    "policy.schedule": "linear",
    "ppm.start": "policy",
    "ppm.learning_rate": 7e-6,
    "ppm.max_length": 2048,  # the code's; the paper does not say
    "ppm.score_at": "last_token",
    "ppm.pair_loss": "pairwise",
    "ppm.min_steps": 0,
    "ppm.patience": 0,
    "ppm.trust": "always",
    "policy.skip_heldout": "off",
    "evaluation.search": True,
    "evaluation.candidates": 32,
}

PAPER: Mapping[str, Any] = {
    **_BOTH,
    # section 3.2: UCT, in which an unvisited child comes first
    "search.unvisited": "infinity",
    # section 4.1
    "search.rollouts": 16,
    "search.candidates": 8,
    # section 3.3: a tanh head
    "search.ppm_scale": 1.0,
    # section 3.4, table "self-evolution": rounds and what is added for unsolved problems
    "rounds": [
        {"guidance": "terminal", "rollouts": 8, "candidates": 5},
        {"guidance": "terminal", "unsolved_rollouts": [32]},
        {"guidance": "ppm", "unsolved_rollouts": [32]},
        {"guidance": "ppm", "candidates": 16, "unsolved_rollouts": [64, 128], "seeds": 2},
    ],
    # appendix: synthetic problems of which most answers are wrong were dropped
    "filters.min_accuracy": 0.5,
    "policy.max_length": 4096,
    # Eq. 4: step pairs, and whole trajectories for the final step; no thresholds
    "ppm.epochs": 1.0,
    "ppm.trajectory_pairs": True,
    "ppm.min_margin": 0.0,
    "ppm.min_edit_distance": 0,
    "evaluation.rollouts": 4,
    "evaluation.answer": "best_ppm",
    "answers.rules": "strict",
}

REFERENCE: Mapping[str, Any] = {
    **_BOTH,
    # agents/mcts.py: `u = 0` for an unvisited child, ties to the first
    "search.unvisited": "zero",
    # config/sft_sample_mcts.yaml
    "search.rollouts": 48,
    "search.candidates": 12,
    "search.temperature": 1.0,
    # llms/llms.py: tanh(v / 5), on a head that was trained without tanh
    "search.ppm_scale": 5.0,
    # tools/python_tool.py
    "execution.wall_seconds": 30.0,
    "execution.cpu_seconds": 30.0,
    # config/sample_mcts.yaml for the bootstrap, then sft_sample_mcts.yaml, always with the PPM
    "rounds": [
        {"guidance": "terminal", "temperature": 0.7},
        {"guidance": "ppm"},
        {"guidance": "ppm"},
        {"guidance": "ppm"},
    ],
    "filters.min_accuracy": 0.0,
    # train/sample_sft_data.py and the README's command lines
    "policy.distinct": False,
    "policy.drop_errors": True,
    "policy.max_length": 2048,
    # extra_rm_file.py, train/sample_rm_data.py
    "ppm.epochs": 2.0,
    "ppm.trajectory_pairs": False,
    "ppm.min_margin": 0.5,
    "ppm.min_edit_distance": 20,
    # config/sft_eval_mcts.yaml, eval_maj.py
    "evaluation.rollouts": 12,
    "evaluation.answer": "majority_of_best",
    # agents/utils.py
    "answers.rules": "reference",
}

PRESETS: dict[Preset, Mapping[str, Any]] = {"": {}, "paper": PAPER, "reference": REFERENCE}


class ByRound(tuple[Any, ...]):
    """A value for each round."""


def preset_recipe(name: Preset) -> Recipe:
    """A preset over the defaults; "" is the defaults alone."""
    return msgspec.convert(merged(unflattened(PRESETS[name]), {"preset": name}), Recipe)


def differences(columns: Mapping[str, Recipe]) -> list[tuple[str, dict[str, Any]]]:
    """Every setting that differs between the named recipes, in the order of the sections.

    A setting of the rounds is one row: its value, or one per round where rounds differ.
    """
    values = {name: _values(recipe) for name, recipe in columns.items()}
    rows = [(key, {name: values[name][key] for name in columns}) for key in _keys(values)]
    return [(key, row) for key, row in rows if len(set(row.values())) > 1]


def _keys(values: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    ignored = ("name", "preset")
    return (key for key in next(iter(values.values())) if key not in ignored)


def _values(recipe: Recipe) -> dict[str, Any]:
    """Hashable settings by dotted key; those that rounds may override are given by round only."""
    plain = msgspec.to_builtins(msgspec.structs.replace(recipe, rounds=()))
    del plain["rounds"]
    flat = {key: _hashable(value) for key, value in flattened(plain).items()}
    for name in msgspec.structs.fields(RoundConfig):
        by_round = [_hashable(_of_round(recipe, number, name.name)) for number in _numbers(recipe)]
        flat.pop(f"search.{name.name}", None)
        flat[f"rounds.{name.name}"] = by_round[0] if len(set(by_round)) == 1 else ByRound(by_round)
    return flat


def _of_round(recipe: Recipe, number: int, name: str) -> Any:
    search = recipe.search_of_round(number)
    return getattr(search if hasattr(search, name) else recipe.rounds[number - 1], name)


def _numbers(recipe: Recipe) -> range:
    return range(1, len(recipe.rounds) + 1)


def _hashable(value: Any) -> Any:
    return tuple(map(_hashable, value)) if isinstance(value, list | tuple) else value
