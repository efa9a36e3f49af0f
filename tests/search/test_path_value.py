import pytest

from rstar_async.search.path_value import path_value

STEPS = [0.5, -0.5, 0.25]


@pytest.mark.parametrize(
    ("rule", "value"), [("last", 0.25), ("min", -0.5), ("mean", 0.25 / 3), ("product", -0.765625)]
)
def test_the_value_of_a_path_by_hand(rule, value):
    assert path_value(rule, STEPS) == pytest.approx(value)


@pytest.mark.parametrize("rule", ["last", "mean", "product", "min"])
def test_a_path_of_one_step_is_worth_that_step(rule):
    assert path_value(rule, [0.3]) == pytest.approx(0.3)
    assert path_value(rule, [1.0, 1.0]) == 1.0
    assert path_value(rule, [-1.0, -1.0]) == -1.0
