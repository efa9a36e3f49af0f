"""A comparison of runs as tables and as a page. Pure."""

from collections.abc import Iterator

from rstar_async.reports.comparison import METHODS, ComparedRun, Comparison, Difference
from rstar_async.reports.curves import Curves
from rstar_async.reports.markup import Content, tag
from rstar_async.reports.page import document, plot_of, table_of
from rstar_async.reports.plots import Dot
from rstar_async.reports.tables import NONE, Table

NOTE = (
    "Accuracy on held-out problems in per cent. Differences are to the first run, paired by "
    "problem on the problems that both have, with 95 % intervals; one that contains zero may be "
    "chance."
)


def tables_of(found: Comparison) -> list[Table]:
    """Accuracy by round, differences, and the settings that differ."""
    return [accuracies(found), differences(found), settings(found)]


def accuracies(found: Comparison) -> Table:
    numbers = _rounds(found)
    header = ["run", "method", *("bootstrap" if n == 0 else f"round {n}" for n in numbers)]
    rows = [
        [run.name, method, *(_accuracy(run, method, n) for n in numbers)]
        for run in found.runs
        for method in METHODS
        if any(one.method == method for one in run.measured)
    ]
    return Table("Accuracy by round", header, rows)


def differences(found: Comparison) -> Table:
    first = found.runs[0].name
    header = ["run", "method", "round", "problems", "accuracy", first, "difference"]
    return Table(f"Compared with {first}", header, list(map(_difference, found.differences)))


def settings(found: Comparison) -> Table:
    rows = [[key, *values] for key, values in found.settings.items()]
    return Table("Settings that differ", ["setting", *(run.name for run in found.runs)], rows)


def page_of(found: Comparison) -> str:
    """One HTML page with plots; it loads nothing."""
    title = "rStar runs: " + ", ".join(run.name for run in found.runs)
    return document(title, list(_sections(found)))


def _sections(found: Comparison) -> Iterator[Content]:
    yield tag("p", NOTE, class_="note")
    yield tag("div", [plot_of(_curves(found, m)) for m in METHODS], class_="plots")
    for table in tables_of(found):
        yield table_of(table)


def _curves(found: Comparison, method: str) -> Curves:
    numbers = _rounds(found)
    series = {
        run.name: [
            Dot(numbers.index(one.round), one.accuracy, one.low, one.high)
            for one in run.measured
            if one.method == method
        ]
        for run in found.runs
    }
    kept = {name: dots for name, dots in series.items() if dots}
    return Curves(f"Accuracy: {method}", kept, [str(n) for n in numbers], "round")


def _rounds(found: Comparison) -> list[int]:
    return sorted({one.round for run in found.runs for one in run.measured})


def _accuracy(run: ComparedRun, method: str, number: int) -> str:
    for one in run.measured:
        if (one.method, one.round) == (method, number):
            return f"{100 * one.accuracy:.1f} [{100 * one.low:.0f}, {100 * one.high:.0f}]"
    return NONE


def _difference(found: Difference) -> list[str]:
    mean, low, high = (100 * value for value in (found.difference, found.low, found.high))
    return [
        found.name,
        found.method,
        str(found.round),
        f"{found.problems:,}",
        f"{100 * found.accuracy:.1f}",
        f"{100 * found.first:.1f}",
        f"{mean:+.1f} [{low:+.1f}, {high:+.1f}]",
    ]
