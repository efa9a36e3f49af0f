"""Tables that are wider than the terminal: rows and columns exchanged, or one row below another."""

from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.table import Column, Table
from rich.text import Text


def fitted(table: Table, console: Console, *, may_wrap: bool = False) -> RenderableType:
    """The table if it fits; else with its rows as columns, if that fits; else row by row.

    With `may_wrap` it also fits if only whole words do.
    """
    if not table.row_count:
        return Text(f"{table.title or 'the table'}: nothing yet")
    if _fits(table, console, may_wrap=may_wrap):
        return table
    exchanged = transposed(table)
    return exchanged if _fits(exchanged, console) else stacked(table)


def transposed(table: Table) -> Table:
    """Each row of the table as a column, headed by its name."""
    header, names, others = _named(table)
    exchanged = Table(title=table.title, title_justify="left", show_edge=False)
    exchanged.add_column(header, no_wrap=True)
    for name in names:
        exchanged.add_column(name, justify="right", no_wrap=True)
    for column in others:
        exchanged.add_row(column.header, *column.cells)
    return exchanged


def stacked(table: Table) -> Group:
    """Each row as lines of `header  value`, below its name; empty cells are left out."""
    parts: list[RenderableType] = [Text(str(table.title), style="italic")] if table.title else []
    _, names, others = _named(table)
    headers = [_plain(column.header) for column in others]
    for name, *values in zip(names, *(column.cells for column in others), strict=True):
        parts.append(Text(name, style="bold"))
        block = Table.grid(Column(no_wrap=True), Column(overflow="fold"), padding=(0, 2, 0, 2))
        for header, value in zip(headers, values, strict=True):
            if _plain(value):
                block.add_row(header, value)
        parts.append(block)
    return Group(*parts)


def _named(table: Table) -> tuple[str, list[str], list[Column]]:
    """The names of the rows with their header: the first column that has one, with the marks in
    the columns before it; and the other columns."""
    place = next((n for n, c in enumerate(table.columns) if _plain(c.header)), 0)
    first, others = table.columns[: place + 1], table.columns[place + 1 :]
    rows = zip(*(column.cells for column in first), strict=True)
    names = [" ".join(filter(None, map(_plain, cells))) for cells in rows]
    return _plain(first[-1].header), names, others


def _fits(table: Table, console: Console, *, may_wrap: bool = False) -> bool:
    wide = console.options.update(max_width=10_000)
    measured = Measurement.get(console, wide, table)
    return (measured.minimum if may_wrap else measured.maximum) <= console.width


def _plain(cell: RenderableType) -> str:
    return cell.plain if isinstance(cell, Text) else Text.from_markup(str(cell)).plain
