"""Tables that are wider than the terminal: rows and columns exchanged, or one row below another."""

from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.table import Column, Table
from rich.text import Text


def fitted(table: Table, console: Console) -> RenderableType:
    """The table if it fits; else with its rows as columns, if that fits; else row by row."""
    if not table.row_count:
        return Text(f"{table.title or 'the table'}: nothing yet")
    if _fits(table, console):
        return table
    exchanged = transposed(table)
    return exchanged if _fits(exchanged, console) else stacked(table)


def transposed(table: Table) -> Table:
    """Each row of the table as a column; the first column becomes the header."""
    first, *others = table.columns
    exchanged = Table(title=table.title, title_justify="left", show_edge=False)
    exchanged.add_column(first.header or "", no_wrap=True)
    for name in first.cells:
        exchanged.add_column(name, justify="right", no_wrap=True)
    for column in others:
        exchanged.add_row(column.header, *column.cells)
    return exchanged


def stacked(table: Table) -> Group:
    """Each row as lines of `header  value`, below its first cell; empty cells are left out."""
    first, *others = table.columns
    parts: list[RenderableType] = [Text(str(table.title), style="italic")] if table.title else []
    names = [_plain(column.header) for column in others]
    for name, *values in zip(first.cells, *(column.cells for column in others), strict=True):
        parts.append(Text(_plain(name), style="bold"))
        block = Table.grid(Column(no_wrap=True), Column(overflow="fold"), padding=(0, 2, 0, 2))
        for header, value in zip(names, values, strict=True):
            if _plain(value):
                block.add_row(header, value)
        parts.append(block)
    return Group(*parts)


def _fits(table: Table, console: Console) -> bool:
    wide = console.options.update(max_width=10_000)
    return Measurement.get(console, wide, table).maximum <= console.width


def _plain(cell: RenderableType) -> str:
    return cell.plain if isinstance(cell, Text) else Text.from_markup(str(cell)).plain
