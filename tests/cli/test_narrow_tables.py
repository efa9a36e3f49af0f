import io

import pytest
from rich.console import Console
from rich.table import Table

from rstar_async.cli.narrow_tables import fitted


def table(columns: int, rows: int) -> Table:
    made = Table(title="figures", title_justify="left")
    for number in range(columns):
        made.add_column(f"column {number}", justify="right", no_wrap=True)
    for row in range(rows):
        made.add_row(*(f"value {row}.{number}" for number in range(columns)))
    return made


def printed(made: Table, width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width, force_terminal=True, no_color=True)
    console.print(fitted(made, console))
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize("width", [80, 100, 160])
@pytest.mark.parametrize(("columns", "rows"), [(3, 2), (12, 4), (12, 30)])
def test_every_value_is_whole_at_every_width(width, columns, rows):
    lines = printed(table(columns, rows), width)
    text = "\n".join(lines)
    for row in range(rows):
        for number in range(columns):
            assert f"value {row}.{number}" in text
    assert "…" not in text


def test_a_table_that_fits_stays_as_it_is():
    assert any("column 0" in line and "column 2" in line for line in printed(table(3, 2), 80))


def test_few_rows_become_columns():
    lines = printed(table(12, 3), 80)
    assert any(line.split()[:2] == ["column", "5"] and "value 2.5" in line for line in lines)


def test_many_wide_rows_stand_one_below_another():
    lines = [line.strip() for line in printed(table(12, 30), 80)]
    assert "value 7.0" in " ".join(lines)
    assert any("column 11" in line and "value 29.11" in line for line in lines)


def test_rows_are_named_by_the_first_column_with_a_header_and_the_marks_before_it():
    made = Table("", "version", *(f"column {n}" for n in range(9)))
    made.add_row("*", "policy-1", *["a value of some length"] * 9)
    made.add_row("", "ppm-1", *["b"] * 9)
    (heading,) = [line for line in printed(made, 80) if "version" in line]
    assert "* policy-1" in heading
    assert "ppm-1" in heading
    lines = [line.strip() for line in printed(made, 40)]
    assert any("* policy-1" in line for line in lines)
    assert not any(line == "*" for line in lines)


def test_a_table_whose_cells_may_wrap_stays_a_table():
    made = Table("setting", "one", "two")
    made.add_row("a", "several short words " * 4, "more of them " * 4)
    console = Console(file=io.StringIO(), width=80, force_terminal=True)
    assert fitted(made, console, may_wrap=True) is made
    assert fitted(made, console) is not made


def test_an_empty_table_says_so():
    assert printed(table(12, 0), 80) == ["figures: nothing yet"]
