"""Tables that stay readable in a pipe, where no terminal says how wide it is."""

from rich.console import Console
from rich.table import Table

PIPE_COLUMNS = 160


def print_table(table: Table) -> None:
    """Print to standard output; in a terminal as wide as that is."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=PIPE_COLUMNS)
    console.print(table)
