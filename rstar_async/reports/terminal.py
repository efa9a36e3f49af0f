"""The table of rounds in the terminal."""

from rich.table import Table

from rstar_async.reports.round_rows import RunReport
from rstar_async.reports.tables import rounds_table


def table_of(report: RunReport) -> Table:
    """The rounds of a run, without their seconds, so that the table fits 160 columns."""
    rounds = rounds_table(report.rounds)
    table = Table(title=f"run {report.run}", title_justify="left")
    for name in rounds.header[:-1]:
        table.add_column(name, justify="right", no_wrap=True)
    for row in rounds.rows:
        table.add_row(*row[:-1])
    return table
