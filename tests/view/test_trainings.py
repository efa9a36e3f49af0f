"""Curves of trainings, from lines that are written while they are read."""

import json

from rstar_async.view.trainings import FILE, MAX_POINTS, Curve, Step, curves, curves_in


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
    assert curves_in(tmp_path) == [Curve("policy", 1, 1, 2, [(1, 0.5)])]


def test_a_run_that_has_not_trained_has_no_curves(tmp_path):
    assert curves_in(tmp_path) == []
    assert curves([]) == []
