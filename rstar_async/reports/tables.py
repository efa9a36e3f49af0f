"""The report's tables as values, shown as HTML, as Markdown and in the terminal. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rstar_async.reports.contents import Coverage, Heldout, Point, Report, RoundDetails, Scaling
from rstar_async.reports.round_rows import RoundRow

NONE = "-"


@dataclass(frozen=True, slots=True)
class Table:
    """A header and rows; the first column names the row."""

    title: str
    header: list[str]
    rows: list[list[str]]


def searched(report: Report) -> list[RoundDetails]:
    """The rounds that have searches."""
    return [facts for facts in report.rounds if facts.row.problems]


def rounds_table(rows: Sequence[RoundRow]) -> Table:
    header = ["round", "problems", "solved", "nodes", "tokens", "cached", "code runs", "shared"]
    header += ["pairs", "pair acc.", "policy pass@1", "majority", "search pass@1"]
    header += ["seconds"]
    return Table("Rounds", header, list(map(_round_cells, rows)))


def heldout_table(report: Report) -> Table:
    """The policy's samples on held-out problems and the gain since the bootstrap."""
    header = ["round", "samples right", "wrong", "without answer", "gain in points since bootstrap"]
    rows = [
        [name_of(facts), *map(count, (found.right, found.wrong, found.unanswered)), _gain(found)]
        for facts in report.rounds
        if (found := facts.heldout)
    ]
    return Table("Held-out problems", header, rows)


def coverage_table(report: Report) -> Table:
    """Share of solved problems by level, as in the paper's Table 2, and the difficulty classes."""
    rounds = searched(report)
    levels = list(dict.fromkeys(c.level for facts in rounds for c in facts.coverage))
    rows = []
    for facts in rounds:
        by_level = {c.level: c for c in facts.coverage}
        shares = [_share(by_level.get(level)) for level in levels]
        classes = facts.difficulty
        counts = [classes.easy, classes.medium, classes.hard] if classes else []
        rows.append([name_of(facts), *shares, *map(str, counts)])
    names = [f"level {level}" if level else "no level" for level in levels]
    return Table("Coverage", ["round", *names, "easy", "medium", "hard"], rows)


def pairs_table(report: Report) -> Table:
    kinds = sorted({kind for facts in report.rounds for kind in facts.pairs})
    rows = [
        [
            name_of(facts),
            *(count(facts.pairs.get(kind, 0)) for kind in kinds),
            percent(facts.row.pair_accuracy),
        ]
        for facts in searched(report)
    ]
    return Table("Preference pairs", ["round", *kinds, "held-out pair accuracy"], rows)


def labels_table(rows: Sequence[RoundRow]) -> Table:
    """What is right of pairs and solutions, where the truth about steps is known."""
    header = ["round", "pairs judged", "right", "inverted", "both right", "both wrong"]
    header += ["solutions with a right answer", "and a right process"]
    cells = [
        [
            str(row.number),
            count(found.judged),
            *(
                _part(part, found.judged)
                for part in (found.right, found.inverted, found.both_right, found.both_wrong)
            ),
            count(found.solutions),
            _part(found.right_processes, found.solutions),
        ]
        for row in rows
        if (found := row.labels)
    ]
    return Table("Labels against the truth", header, cells)


def cost_table(report: Report) -> Table:
    header = ["round", "kept solutions", "tokens each", "executor CPU s each", "seconds each"]
    header += ["generating s", "executing s", "scoring s"]
    priced = any(facts.cost and facts.cost.price is not None for facts in report.rounds)
    rows = []
    for facts in searched(report):
        cost = facts.cost
        row = [name_of(facts), count(cost.kept if cost else None)]
        row += [number(value) for value in _each(facts)]
        waits = (facts.generate_seconds, facts.execute_seconds, facts.score_seconds)
        row += [number(value) for value in waits]
        if priced:
            row.append(number(cost.price if cost else None, 4))
        rows.append(row)
    return Table("Cost of a kept solution", header + (["price each"] if priced else []), rows)


def errors_table(report: Report) -> Table:
    """Failed steps by kind of error, the most frequent first."""
    rounds = searched(report)
    kinds = _ranked([facts.errors for facts in rounds])
    rows = [[kind, *(count(facts.errors.get(kind, 0)) for facts in rounds)] for kind in kinds]
    return Table("Failed code", ["error", *map(name_of, rounds)], rows)


def endings_table(report: Report) -> Table:
    rounds = searched(report)
    kinds = _ranked([facts.endings for facts in rounds])
    rows = [[kind, *(count(facts.endings.get(kind, 0)) for facts in rounds)] for kind in kinds]
    return Table("Nodes by outcome", ["outcome", *map(name_of, rounds)], rows)


def rollouts_table(report: Report) -> Table:
    """Finished searches by what ended them, and their rollouts against a fixed schedule."""
    rounds = [facts for facts in searched(report) if facts.rollouts.searches]
    ends = _ranked([facts.rollouts.ended for facts in rounds])
    rows = [
        [
            name_of(facts),
            count(facts.rollouts.searches),
            count(facts.rollouts.spent),
            percent(facts.rollouts.spent / facts.rollouts.fixed if facts.rollouts.fixed else None),
            *(count(facts.rollouts.ended.get(end, 0)) for end in ends),
        ]
        for facts in rounds
    ]
    header = ["round", "searches", "rollouts", "of the most for all"]
    return Table("How searches ended", [*header, *(end.replace("_", " ") for end in ends)], rows)


def training_table(report: Report) -> Table:
    names = list(dict.fromkeys(n for f in report.rounds for m in f.training.values() for n in m))
    rows = [
        [f"{name_of(facts)} {kind}", *(_plain(metrics.get(name)) for name in names)]
        for facts in report.rounds
        for kind, metrics in sorted(facts.training.items())
    ]
    return Table("Training", ["model", *(name.replace("_", " ") for name in names)], rows)


def test_time_table(found: Scaling) -> Table:
    counts = counts_of(found)
    rows: list[list[str]] = []
    for method, curves in _by_method(found).items():
        rows += [_curve_row(name, points, counts) for name, points in curves.items()]
        first = {point.trajectories: point for points in curves.values() for point in points}
        if counts and counts[0] in first:
            tokens = [_tokens(first.get(n)) for n in counts]
            rows.append([f"{method}: tokens a problem", *tokens])
    of = "" if found.measured is None else f"{found.measured} of "
    title = f"{found.benchmark}, {of}{found.problems} problems, {found.policy_id}"
    header = ["method", *(f"{n} trajector{'y' if n == 1 else 'ies'}" for n in counts)]
    return Table(title, header, rows)


def count(value: int | None) -> str:
    return NONE if value is None else f"{value:,}"


def number(value: float | None, digits: int = 1) -> str:
    return NONE if value is None else f"{value:,.{digits}f}"


def percent(value: float | None) -> str:
    return NONE if value is None else f"{100 * value:.1f} %"


def interval(point: Point | None) -> str:
    return _bounded(point.accuracy, (point.low, point.high)) if point else NONE


def _round_cells(row: RoundRow) -> list[str]:
    runs = row.code_runs or {}
    total, failed = sum(runs.values()), sum(runs.values()) - runs.get("ok", 0)
    shared = row.shared_runs / total if total and row.shared_runs is not None else None
    return [
        "bootstrap" if row.number == 0 else str(row.number),
        count(row.problems) + _failed(row.failed_searches),
        *map(count, (row.solved, row.nodes, row.tokens)),
        percent(row.cached_share),
        f"{total:,} ({failed:,} failed)" if runs else NONE,
        percent(shared),
        count(row.pairs),
        percent(row.pair_accuracy),
        _bounded(row.policy_pass_at_1, row.policy_interval) + _of(row.policy_measured),
        _bounded(row.majority, row.majority_interval) + _of(row.majority_measured),
        _bounded(row.search_pass_at_1, row.search_interval) + _of(row.search_measured),
        number(row.seconds, 0),
    ]


def _bounded(value: float | None, bounds: tuple[float, float] | None) -> str:
    if value is None or bounds is None:
        return NONE
    return f"{100 * value:.1f} % [{100 * bounds[0]:.0f}, {100 * bounds[1]:.0f}]"


def _failed(searches: int | None) -> str:
    """Searches that say nothing about the models."""
    return f" ({searches:,} searches failed)" if searches else ""


def _of(measured: tuple[int, int] | None) -> str:
    """On how many of the held-out problems, if not on all."""
    if measured is None or measured[0] == measured[1]:
        return ""
    return f", {measured[0]} of {measured[1]}"


def _gain(found: Heldout) -> str:
    if found.gain is None:
        return NONE
    mean, low, high = (100 * value for value in found.gain)
    return f"{mean:+.1f} [{low:+.1f}, {high:+.1f}]"


def _each(facts: RoundDetails) -> tuple[float | None, ...]:
    cost = facts.cost
    return (cost.tokens, cost.cpu_seconds, cost.wall_seconds) if cost else (None, None, None)


def _share(coverage: Coverage | None) -> str:
    if coverage is None:
        return NONE
    share = coverage.solved / coverage.problems
    return f"{100 * share:.1f} % of {coverage.problems:,}"


def _part(part: int, whole: int) -> str:
    return f"{part:,} ({percent(part / whole)})" if whole else NONE


def _plain(value: float | None) -> str:
    return NONE if value is None else f"{value:,.4g}"


def _tokens(point: Point | None) -> str:
    return NONE if point is None else f"{point.tokens:,.0f}"


def counts_of(found: Scaling) -> list[int]:
    return sorted({p.trajectories for points in found.curves.values() for p in points} - {0})


def _curve_row(name: str, points: list[Point], counts: list[int]) -> list[str]:
    """A figure that does not depend on the number of trajectories is in the first column."""
    by_count = {point.trajectories: point for point in points}
    if 0 in by_count:
        return [name, interval(by_count[0]), *[""] * (len(counts) - 1)]
    return [name, *(interval(by_count.get(n)) for n in counts)]


def _by_method(found: Scaling) -> dict[str, dict[str, list[Point]]]:
    """Curves by method; curves of one method share tokens and seconds."""
    methods: dict[str, dict[str, list[Point]]] = {}
    for name, points in found.curves.items():
        methods.setdefault(name.partition(":")[0], {})[name] = points
    return methods


def _ranked(counts: Sequence[Mapping[str, int]]) -> list[str]:
    totals: dict[str, int] = {}
    for one in counts:
        for kind, n in one.items():
            totals[kind] = totals.get(kind, 0) + n
    return sorted(totals, key=lambda kind: (-totals[kind], kind))


def name_of(facts: RoundDetails) -> str:
    return "bootstrap" if facts.row.number == 0 else f"round {facts.row.number}"
