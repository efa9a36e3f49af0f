from importlib.metadata import EntryPoint

import pytest

from rstar_async.errors import BadInput
from rstar_async.evaluation.strategies import (
    GROUP,
    TREE,
    baselines,
    in_table_order,
    strategies,
    with_installed,
)
from rstar_async.evaluation.strategy import Strategy


class Ours(Strategy):
    name = "ours"
    title = "a strategy of another package"


class Twice(Ours):
    name = "beam"


class BadName(Ours):
    name = "none"


class Broken(Ours):
    def __init__(self) -> None:
        raise OSError("no licence")


class NoStrategy:
    name = "nothing"


def point(name: str) -> EntryPoint:
    return EntryPoint(name, f"{__name__}:{name}", GROUP)


def test_the_trees_come_first_and_are_no_baseline():
    assert next(iter(strategies().values())) is TREE
    assert [one.name for one in baselines()][:3] == ["greedy", "sample", "beam"]


def test_the_table_has_trees_and_beams_above_samples():
    names = [one.name for one in in_table_order(with_installed([]).values())]
    assert names == ["tree", "greedy", "beam", "guided", "sample"]


def test_strategies_of_other_packages_come_after_the_built_in_ones():
    found = with_installed([point("Ours")])
    assert [*found] == ["tree", "greedy", "sample", "beam", "guided", "ours"]
    assert isinstance(found["ours"], Ours)


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("Twice", "two strategies are called 'beam'"),
        ("BadName", "cannot be called 'none'"),
        ("Broken", "OSError: no licence"),
        ("NoSuchClass", "cannot load the strategy .*NoSuchClass"),
        ("NoStrategy", "is no subclass of Strategy"),
    ],
)
def test_a_strategy_that_cannot_be_used_is_named(name, complaint):
    with pytest.raises(BadInput, match=complaint):
        with_installed([point(name)])
