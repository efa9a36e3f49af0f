"""Where the truth about steps is known, reports say how much of a round is right."""

import pytest

from rstar_async.reports.round_rows import Labels, RoundRow, RunReport, labels_of
from rstar_async.reports.tables import labels_table
from rstar_async.reports.terminal import labels_lines

PPM = {"labels_judged": 473, "labels_right": 432, "labels_inverted": 4}
PPM |= {"labels_both_right": 31, "labels_both_wrong": 6, "pairs": 473}
POLICY = {"solutions_judged": 239, "solutions_right_process": 229}


def row(number: int, labels: Labels | None) -> RoundRow:
    empty = dict.fromkeys(name for name in RoundRow.__struct_fields__)
    return RoundRow(**{**empty, "number": number, "labels": labels})


def report(*rows: RoundRow) -> RunReport:
    return RunReport("run", "rstar.db", 1.0, list(rows))


def test_the_counts_come_from_the_models_of_the_round():
    assert labels_of([POLICY, PPM]) == Labels(473, 432, 4, 31, 6, 239, 229)
    assert labels_of([{"reason": "ppm.train is off"}, POLICY]) == Labels(0, 0, 0, 0, 0, 239, 229)


@pytest.mark.parametrize("metrics", [[], [{"pairs": 3}, {"rows": 4}]])
def test_where_the_truth_is_not_known_there_are_none(metrics):
    assert labels_of(metrics) is None
    assert labels_table([row(1, None)]).rows == []
    assert labels_lines(report(row(1, None))) == []


def test_the_table_has_a_row_for_each_judged_round():
    table = labels_table([row(0, None), row(1, labels_of([POLICY, PPM]))])
    (cells,) = table.rows
    assert cells[:6] == ["1", "473", "432 (91.3 %)", "4 (0.8 %)", "31 (6.6 %)", "6 (1.3 %)"]
    assert cells[6:] == ["239", "229 (95.8 %)"]


def test_the_terminal_has_a_line_for_each_judged_round():
    lines = labels_lines(report(row(1, labels_of([POLICY, PPM])), row(2, labels_of([POLICY]))))
    assert lines == [
        "round 1: of 473 pairs 91.3 % are labelled right, 4 inverted, 31 both right, 6 both wrong; "
        "of 239 solutions with a right answer 229 have a right process",
        "round 2: of 239 solutions with a right answer 229 have a right process",
    ]
