import pytest

from rstar_async.errors import BadInput
from rstar_async.evaluation.schedules import (
    ProblemFigures,
    Schedule,
    ScheduleFigures,
    compare,
    parse_schedules,
)
from rstar_async.evaluation.selection import Proposal, Trajectory
from storage.queries import Attempt
from storage.records import Search


def attempt(tokens: int, rollouts: int, ended: str = "rollouts") -> Attempt:
    search = Search("s", "r", 1, "p", "evaluation", 1, "policy", rollouts=rollouts, ended=ended)
    return Attempt(search, [], 8, tokens, 1)


def test_schedules_are_rollouts_perhaps_with_a_confidence():
    assert parse_schedules("16, 16@0.95") == (Schedule(16), Schedule(16, 0.95))
    assert str(Schedule(16, 0.95)) == "16 rollouts until 95 % sure"


@pytest.mark.parametrize("text", ["16", "16,16", "16,many", "16,0", "16,8@1", "16,8@-0.1", "16,"])
def test_what_cannot_be_compared_is_refused(text):
    with pytest.raises(BadInput, match="--schedules"):
        parse_schedules(text)


def figures(attempts: list[Attempt], right: list[bool]) -> ProblemFigures:
    return ProblemFigures.of(attempts, [Trajectory(Proposal("7", one)) for one in right])


def test_figures_are_means_over_trees_then_compared_problem_by_problem():
    fixed = ScheduleFigures(
        Schedule(8),
        [
            figures([attempt(100, 8), attempt(120, 8)], [True, True]),
            figures([attempt(200, 8), attempt(220, 8)], [True, False]),
        ],
    )
    adaptive = ScheduleFigures(
        Schedule(8, 0.9),
        [
            figures([attempt(40, 3, "converged"), attempt(48, 3, "converged")], [True, True]),
            figures([attempt(200, 8)] * 2, [False, False]),
        ],
    )
    first, second = compare([fixed, adaptive])
    assert adaptive.right == [1.0, 0.0]
    assert adaptive.tokens == [44.0, 200.0]
    assert adaptive.rollouts == [3.0, 8.0]
    assert (fixed.converged, adaptive.converged) == (0.0, 0.5)
    assert (first.tokens.mean, first.difference.mean) == (1.0, 0.0)
    assert second.tokens.mean == pytest.approx(244 / 320)
    assert second.difference.mean == pytest.approx(-0.25)
    assert second.accuracy.mean == pytest.approx(0.5)
