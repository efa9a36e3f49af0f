"""The progress of a running evaluation: attempts and tokens by strategy."""

from collections import Counter

from rstar_async.evaluation.strategies import TREE
from rstar_async.evaluation.strategy import Strategy
from rstar_async.telemetry.progress_display import Display
from rstar_async.telemetry.stage_times import Stage
from storage.queries import Attempt


class EvaluationProgress:
    """Counts attempts. How many a baseline at equal tokens needs is known only at the end."""

    def __init__(self, display: Display, problems: int, trees: int) -> None:
        self._display = display
        self._problems = problems
        self._trees = trees
        self._attempts: Counter[Strategy] = Counter()
        self._tokens: Counter[Strategy] = Counter()

    def count(self, strategy: Strategy, attempt: Attempt) -> None:
        """Show one more attempt."""
        self._attempts[strategy] += 1
        self._tokens[strategy] += attempt.new_tokens
        done = self._attempts[strategy] * strategy.width
        note = f"{self._tokens[strategy]:,} tokens"
        total, tokens = self._total(strategy), self._tokens[strategy]
        ended = bool(total) and done >= total
        self._display.show(Stage(strategy.title, done, total, note, tokens, ended=ended))

    def _total(self, strategy: Strategy) -> int:
        """0 if it is not known."""
        if strategy is TREE:
            return self._problems * self._trees
        return 0 if strategy.at_equal_tokens else self._problems
