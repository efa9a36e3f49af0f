"""The comparison of schedules for people."""

from rich.table import Table

from rstar_async.evaluation.request import Interval, ScheduleResult, ScheduleResults


def schedules_table(results: ScheduleResults) -> Table:
    """Schedules down; the first is what the others are compared with."""
    ppm = f" with {results.ppm}" if results.ppm else ", no PPM"
    title = f"{results.benchmark}: {results.policy}{ppm}"
    table = Table(title=title, title_justify="left")
    table.add_column("schedule")
    for name in ("rollouts", "converged", "tokens", "of the first's", "accuracy", "difference"):
        table.add_column(name, justify="right", no_wrap=True)
    first, *others = results.rows
    table.add_row(*_cells(first), "", _percent(first.accuracy), "")
    for row in others:
        table.add_row(*_cells(row), *_compared(row))
    return table


def schedules_caption(results: ScheduleResults) -> str:
    """What the figures mean."""
    return (
        f"means over {results.problems} problems x {results.trees} trees, one answer a tree by "
        f"{results.answer}, {results.candidates} candidates, seed {results.seed}; 95 % intervals "
        f"over problems, paired; {results.seconds:,.0f} s"
    )


def _cells(row: ScheduleResult) -> list[str]:
    return [
        row.schedule,
        f"{row.rollouts:.1f}",
        f"{100 * row.converged:.0f} %",
        f"{row.tokens:,.0f}",
    ]


def _compared(row: ScheduleResult) -> tuple[str, str, str]:
    mean, low, high = row.difference
    points = f"{100 * mean:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]"
    return _percent(row.tokens_share), _percent(row.accuracy), points


def _percent(figure: Interval) -> str:
    mean, low, high = figure
    return f"{100 * mean:.1f} [{100 * low:.0f}, {100 * high:.0f}]"
