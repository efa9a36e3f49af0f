"""Curves of trainings, from lines that are written while they are read."""

import json
from itertools import pairwise

from rstar_async.view.trainings import FILE, MAX_POINTS, Curve, Step, Trainings, curves


def steps(phase, number, first, last, total):
    return [Step(phase, number, n, total, 1 / (n + 1) if n else None) for n in range(first, last)]


def test_the_newest_training_comes_first_and_knows_where_it_stands():
    found = curves([*steps("policy", 1, 0, 4, 3), *steps("ppm", 1, 0, 3, 9)])
    assert [(each.phase, each.step, each.total) for each in found] == [
        ("ppm", 2, 9),
        ("policy", 3, 3),
    ]
    assert found[0].points == [(1, 1 / 2), (2, 1 / 3)]


def test_a_training_that_begins_again_forgets_what_it_had():
    (again,) = curves([*steps("ppm", 1, 0, 6, 9), *steps("ppm", 1, 0, 2, 9)])
    assert again == Curve("ppm", 1, 1, 9, [(1, 1 / 2)])
    (resumed,) = curves([*steps("ppm", 1, 0, 6, 9), *steps("ppm", 1, 4, 8, 9)])
    assert [step for step, _ in resumed.points] == [1, 2, 3, 4, 5, 6, 7]


def test_a_long_training_is_thinned_and_keeps_its_last_step():
    (long,) = curves(steps("policy", 2, 0, 5000, 6000))
    assert len(long.points) <= MAX_POINTS
    assert long.points[-1][0] == long.step == 4999


def test_a_ppm_also_has_the_shares_of_pairs_that_it_orders_right():
    lines = [
        Step("ppm", 1, 1, 2, 0.7, pair_accuracy_train=0.5),
        Step("ppm", 1, 2, 2, 0.6, pair_accuracy_train=0.75, pair_accuracy=0.625),
    ]
    (found,) = curves(lines)
    assert found.accuracy_train == [(1, 0.5), (2, 0.75)]
    assert found.accuracy == [(2, 0.625)]


def test_half_a_line_and_foreign_lines_are_passed_over(tmp_path):
    (tmp_path / FILE).parent.mkdir()
    line = {"phase": "policy", "round": 1, "step": 1, "total": 2, "loss": 0.5, "more": "x"}
    text = json.dumps(line)
    (tmp_path / FILE).write_text(f'[]\n{text}\n{{"phase": 3}}\n\xff\n{text[:20]}')
    assert Trainings(tmp_path).curves() == [Curve("policy", 1, 1, 2, [(1, 0.5)])]


def test_a_run_that_has_not_trained_has_no_curves(tmp_path):
    assert Trainings(tmp_path).curves() == []
    assert curves([]) == []


class Counted(int):
    """A number of a step that counts its comparisons, which are what adding a step consists of."""

    comparisons = 0

    def __ge__(self, other):
        Counted.comparisons += 1
        return int(self) >= int(other)

    __le__ = __lt__ = __gt__ = __ge__


def comparisons(number):
    Counted.comparisons = 0
    curves([Step("policy", 1, Counted(n), number, 0.5) for n in range(number)])
    return Counted.comparisons


def test_four_times_the_steps_are_four_times_the_work():
    few, many = comparisons(4_000), comparisons(16_000)
    assert 4_000 <= few <= 20 * 4_000
    assert many <= 4.1 * few


def test_thinned_points_are_spread_over_the_whole_training():
    (long,) = curves(steps("policy", 1, 0, 16_000, 16_000))
    numbers = [step for step, _ in long.points]
    gaps = [later - earlier for earlier, later in pairwise(numbers)]
    assert 100 <= len(numbers) <= MAX_POINTS
    assert max(gaps) <= 2 * 16_000 / len(numbers)
    assert all(value == 1 / (step + 1) for step, value in long.points)


def test_rare_points_of_a_long_training_are_all_kept():
    rare = [Step("ppm", 1, n, 9_000, 0.5, pair_accuracy=n / 9_000) for n in range(7, 9_000, 100)]
    every = {step.step: step for step in [*steps("ppm", 1, 0, 9_000, 9_000), *rare]}
    (found,) = curves(every.values())
    assert found.accuracy == [(step.step, step.pair_accuracy) for step in rare]


def test_a_file_is_read_on_from_where_it_ended(tmp_path):
    file = tmp_path / FILE
    file.parent.mkdir()
    trainings = Trainings(tmp_path)
    assert trainings.curves() == []
    line = '{"phase": "policy", "round": 1, "step": 1, "total": 2, "loss": 0.5}\n'
    file.write_text(line + line.replace('"step": 1', '"step": 2')[:-20])
    (half,) = trainings.curves()
    with file.open("r+") as at_line_two:  # what was read is not read again
        at_line_two.write("x" * 10)
    with file.open("a") as more:
        more.write(line.replace('"step": 1', '"step": 2')[-20:])
    (whole,) = trainings.curves()
    assert (half.points, whole.points) == ([(1, 0.5)], [(1, 0.5), (2, 0.5)])
    file.unlink()
    file.write_text(line.replace("policy", "ppm"))
    assert [curve.phase for curve in trainings.curves()] == ["ppm"]


def test_a_line_that_nothing_can_read_is_passed_over(tmp_path):
    (tmp_path / FILE).parent.mkdir()
    odd = ['{"a":' * 100_000, f'{{"step": {"9" * 5000}}}', '{"phase": "\\ud800"}', "[" * 100_000]
    line = {"phase": "policy", "round": 1, "step": 1, "total": 2, "loss": 0.5}
    (tmp_path / FILE).write_text("\n".join([*odd, json.dumps(line), ""]))
    assert Trainings(tmp_path).curves() == [Curve("policy", 1, 1, 2, [(1, 0.5)])]
