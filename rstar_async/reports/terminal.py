"""The rounds in the terminal."""

from rich.table import Table

from rstar_async.reports.round_rows import RoundRow, RunReport
from rstar_async.reports.tables import percent, rounds_table


def table_of(report: RunReport) -> Table:
    """The rounds of a run, without their seconds, so that the table fits 170 columns."""
    rounds = rounds_table(report.rounds)
    table = Table(title=f"run {report.run}", title_justify="left")
    for name in rounds.header[:-1]:
        table.add_column(name, justify="right", no_wrap=True)
    for row in rounds.rows:
        table.add_row(*row[:-1])
    return table


def labels_lines(report: RunReport) -> list[str]:
    """A line for each round in which the truth about steps is known."""
    return [_labels_line(row) for row in report.rounds if row.labels]


def _labels_line(row: RoundRow) -> str:
    found = row.labels
    assert found is not None
    said = []
    if found.judged:
        said.append(
            f"of {found.judged:,} pairs {percent(found.right / found.judged)} are labelled right, "
            f"{found.inverted} inverted, {found.both_right} both right, "
            f"{found.both_wrong} both wrong"
        )
    if found.solutions:
        said.append(
            f"of {found.solutions:,} solutions with a right answer "
            f"{found.right_processes:,} have a right process"
        )
    return f"round {row.number}: {'; '.join(said)}"
