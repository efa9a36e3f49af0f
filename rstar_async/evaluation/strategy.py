"""What a test-time strategy is: how one attempt at a problem is made, and what it comes to.

Most strategies only decide which node of a tree is expanded next and override `grow`; the tree is
then stored as a whole at its end, so an attempt that was cut off leaves nothing and is made again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rstar_async.config import AnswerRule, EvaluationConfig, SearchConfig
from rstar_async.evaluation.aggregation import proposals_of
from rstar_async.evaluation.recorded_tree import RecordedTree
from rstar_async.evaluation.selection import Rule, Trajectory, answer_of_tree
from rstar_async.search.expander import Expander
from rstar_async.search.runner import SearchPlan, SearchRunner
from storage.queries import Attempt
from storage.records import Problem, Search
from storage.store import Store


@dataclass(frozen=True, slots=True)
class PendingAttempt:
    """An attempt that is to be made: its row, which the store has, and what it is made with."""

    search: Search
    problem: Problem
    plan: SearchPlan
    evaluation: EvaluationConfig
    runner: SearchRunner
    store: Store


class Strategy:
    """A way to spend tokens on a problem; one object serves all attempts.

    `name` is stored in ids and is what `rstar evaluate --against` takes; `title` is for people.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    # What the table shows of n trajectories, and whether anything works without a PPM.
    rules: ClassVar[Sequence[Rule]] = ()
    needs_ppm: ClassVar[bool] = False
    # As a baseline: attempts until they have used the tokens of the trees, or a single one.
    at_equal_tokens: ClassVar[bool] = True
    # The title of its pass@1 as a figure of the policy alone; "" shows none.
    alone: ClassVar[str] = ""

    @property
    def width(self) -> int:
        """How many trajectories one attempt has."""
        return 1

    def search_settings(self, search: SearchConfig) -> SearchConfig:
        """The settings of its expansions, from those of the evaluation."""
        return search

    def own_settings(self, evaluation: EvaluationConfig) -> Sequence[object]:
        """The settings that shape an attempt beside those of search; its id depends on them."""
        return ()

    async def grow(
        self, expander: Expander, tree: RecordedTree, evaluation: EvaluationConfig
    ) -> None:
        """Make one attempt: expand nodes of `tree` and `add` what came of them, to the end.

        A `JobFailed` that leaves it, alone or in a group, fails the attempt.
        """
        raise NotImplementedError

    async def run(self, attempt: PendingAttempt) -> None:
        """Make and store one attempt by `grow`."""
        tree = RecordedTree()
        expander = attempt.runner.expander_of(attempt.search, attempt.problem, attempt.plan)
        try:
            await self.grow(expander, tree, attempt.evaluation)
        finally:
            attempt.runner.end_tree(attempt.search.id)
        await attempt.store.commit(*tree.records(attempt.search, attempt.plan.models))

    def trajectories_of(
        self, attempt: Attempt, groups: Mapping[str, str], rule: AnswerRule
    ) -> list[Trajectory]:
        """What a stored attempt came to: one trajectory, which gives one of its answers by `rule`.

        `groups` maps each answer to the first one that means the same.
        """
        found = proposals_of(attempt, groups)
        return [Trajectory(answer_of_tree(found, rule), found)]

    def trajectories(
        self, attempts: Sequence[Attempt], groups: Mapping[str, str], rule: AnswerRule
    ) -> list[Trajectory]:
        """Those of all attempts, in order."""
        return [one for a in attempts for one in self.trajectories_of(a, groups, rule)]
