"""The coordinator of a large store, killed in the middle of its last round."""

import shutil
import statistics

from benchmarks import resume
from benchmarks.report import Report
from benchmarks.tiny_base import make_base
from rstar_async.config import Recipe


def measure_resuming(report: Report, recipe: Recipe, name: str) -> None:
    """Run the last round, kill its coordinator, and measure until it has stored more."""
    _make_models(recipe)
    start, *after_kill = resume.measure(recipe)
    report.row(what=f"{name}: cold start", seconds=start)
    claim = f"{name}: kill to search"
    report.claim(claim, statistics.median(after_kill), "s", "<", resume.TARGET_SECONDS)


def _make_models(recipe: Recipe) -> None:
    """Those that the last round searches with; the scripted engine needs a tokenizer only."""
    last = len(recipe.rounds) - 1
    for kind in ("policy", "ppm"):
        folder = recipe.models_folder / f"{kind}-{last}"
        shutil.rmtree(folder, ignore_errors=True)
        make_base(folder, recipe.seed)
        (folder / "manifest.json").write_text('{"prompt_style": "tagged"}')
