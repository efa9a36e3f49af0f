"""The report's plots as values: lines over rounds or trajectories, and histograms. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rstar_async.reports.contents import Point, Report, RoundDetails, Scaling
from rstar_async.reports.plots import Dot
from rstar_async.reports.tables import counts_of, name_of, searched
from storage.queries import BINS


@dataclass(frozen=True, slots=True)
class Curves:
    """Lines over named positions."""

    title: str
    series: Mapping[str, Sequence[Dot]]
    positions: list[str]
    x_title: str


@dataclass(frozen=True, slots=True)
class Bars:
    """Stacked counts over named positions."""

    title: str
    groups: Mapping[str, Sequence[int]]
    positions: list[str]
    x_title: str


def round_curves(report: Report) -> Curves:
    """Accuracy of policy, majority of samples and search over the rounds."""
    series: dict[str, list[Dot]] = {"policy pass@1": [], "majority": [], "search pass@1": []}
    for place, facts in enumerate(report.rounds):
        row = facts.row
        pairs = (
            (row.policy_pass_at_1, row.policy_interval),
            (row.majority, row.majority_interval),
            (row.search_pass_at_1, row.search_interval),
        )
        for dots, (value, bounds) in zip(series.values(), pairs, strict=True):
            if value is not None and bounds is not None:
                dots.append(Dot(place, value, *bounds))
    kept = {name: dots for name, dots in series.items() if dots}
    return Curves("Accuracy on held-out problems", kept, _names(report.rounds), "round")


def coverage_curves(report: Report) -> Curves:
    rounds = searched(report)
    series: dict[str, list[Dot]] = {}
    for place, facts in enumerate(rounds):
        for one in facts.coverage:
            name = f"level {one.level}" if one.level else "all"
            series.setdefault(name, []).append(Dot(place, one.solved / one.problems))
    return Curves("Problems solved in search, by level", series, _names(rounds), "round")


def scaling_curves(found: Scaling) -> list[Curves]:
    """Two plots: the answer rules of tree search, and the best of them beside the baselines."""
    rules = {name: points for name, points in found.curves.items() if name.startswith("tree")}
    methods = {name: points for name, points in found.curves.items() if name not in rules}
    best = next(iter(rules), "")
    return [
        _scaling(f"{found.benchmark}: tree search", found, rules),
        _scaling(
            f"{found.benchmark}: at equal tokens", found, {best: rules.get(best, []), **methods}
        ),
    ]


def _scaling(title: str, found: Scaling, curves: Mapping[str, Sequence[Point]]) -> Curves:
    counts = counts_of(found)
    series = {
        name: [
            Dot(counts.index(p.trajectories), p.accuracy, p.low, p.high)
            for p in points
            if p.trajectories
        ]
        for name, points in curves.items()
    }
    kept = {name: dots for name, dots in series.items() if dots}
    return Curves(title, kept, [str(n) for n in counts], "trajectories")


def histograms(facts: RoundDetails) -> list[Bars]:
    """Q, and PPM values if the round has a PPM."""
    edges = [f"{-1 + 2 * n / BINS:+.1f}" for n in range(BINS)]
    bars = []
    for title, groups in (("Q of nodes", facts.q), ("PPM values", facts.ppm)):
        if groups:
            bars.append(Bars(f"{title}, {name_of(facts)}", groups, edges, "value"))
    return bars


def _names(rounds: Sequence[RoundDetails]) -> list[str]:
    return [str(facts.row.number) for facts in rounds]
