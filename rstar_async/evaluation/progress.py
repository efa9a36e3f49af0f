"""What a running evaluation looks like: one bar a method, or lines in a log."""

from collections import Counter
from types import TracebackType
from typing import Self

from rich.console import Console

from rstar_async.coordinator.progress import BarDisplay, LineDisplay, Stage
from rstar_async.evaluation.settings import SAMPLES_IN_BATCH, Method
from storage.queries import Attempt
from storage.records import Problem

TITLES: dict[Method, str] = {
    "tree": "tree search",
    "greedy": "greedy",
    "sample": "sampled solutions",
    "beam": "step beam search",
}


class EvaluationProgress:
    """Counts attempts. How many beams and samples there will be is known when the trees are."""

    def __init__(self, console: Console, problems: int, trees: int) -> None:
        self._display = BarDisplay(console) if console.is_terminal else LineDisplay(console)
        self._totals: dict[Method, int] = {"tree": problems * trees, "greedy": problems}
        self._attempts: Counter[Method] = Counter()
        self._tokens: Counter[Method] = Counter()

    def __enter__(self) -> Self:
        self._display.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._display.__exit__(kind, error, trace)

    def made(self, problem: Problem, method: Method, attempt: Attempt) -> None:
        """Count one more attempt."""
        self._attempts[method] += 1
        self._tokens[method] += attempt.new_tokens
        done = self._attempts[method] * (SAMPLES_IN_BATCH if method == "sample" else 1)
        note = f"{self._tokens[method]:,} tokens"
        total = self._totals.get(method, 0)
        self._display.show(Stage(f"{TITLES[method]:18}", done, total, note))
