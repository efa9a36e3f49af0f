"""The recipe of a small run on the scripted engine, with its base model and problems."""

import json
from pathlib import Path
from random import Random

from benchmarks.tiny_base import make_base
from rstar_async.config import (
    BootstrapConfig,
    EvaluationConfig,
    ExecutionConfig,
    ModelConfig,
    PolicyConfig,
    PPMConfig,
    ProblemsConfig,
    Recipe,
    RoundConfig,
    SearchConfig,
    WorkersConfig,
)

NAME = "chaos"
HELDOUT = 3


def recipe_for(folder: Path, seed: int, *, short: bool) -> Recipe:
    """Small trees and hardly any training; the longer one is guided by the PPM in round 2."""
    train = 8 if short else 24
    make_base(folder / "base", seed)
    return Recipe(
        name=NAME,
        seed=seed,
        model=ModelConfig(base=str(folder / "base")),
        bootstrap=BootstrapConfig(kind="checkpoint"),
        problems=ProblemsConfig(
            source=str(_problems(folder, train + HELDOUT, seed)), heldout=HELDOUT
        ),
        search=SearchConfig(rollouts=6, candidates=4, max_tokens=64, in_flight=6),
        # A loaded machine must not decide which programs time out.
        execution=ExecutionConfig(wall_seconds=120.0, cpu_seconds=60.0),
        rounds=(RoundConfig(),) if short else (RoundConfig(), RoundConfig(guidance="ppm")),
        policy=PolicyConfig(epochs=1.0, batch_size=8, learning_rate=1e-4),
        ppm=PPMConfig(learning_rate=1e-4, min_steps=0),
        evaluation=EvaluationConfig(problems=HELDOUT, samples=2, rollouts=3, candidates=3),
        workers=WorkersConfig(
            engine="scripted", inference=2, reward=2, executor=2, slots=1, rows=32
        ),
    )


def _problems(folder: Path, count: int, seed: int) -> Path:
    """Write sums, which the scripted engine gets right or wrong."""
    random = Random(seed)
    rows: dict[str, str] = {}
    while len(rows) < count:
        numbers = random.sample(range(2, 90), random.randint(2, 4))
        rows[f"What is {' + '.join(map(str, numbers))}?"] = str(sum(numbers))
    file = folder / "problems.jsonl"
    lines = [json.dumps({"question": q, "answer": a}) for q, a in rows.items()]
    file.write_text("\n".join(lines) + "\n")
    return file
