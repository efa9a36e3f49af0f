"""The figure of the README, from the runs and tables that the benchmarks stored.

    python -m benchmarks.self_evolution --keep FOLDER
    python -m benchmarks.ppm_guides --keep FOLDER
    python -m scripts.readme_figure FOLDER docs/images/learning.svg

Left: accuracy on held-out problems by round, of the policy, of the control that is trained on
demonstrations instead, and of search. Right: accuracy by sampled tokens, for the last models. Means
over the seeds; bands reach from the least to the greatest seed.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any, TypeAlias

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rstar_async.evaluation.selection import BEST_PPM, MAJORITY, PASS_AT_N, PPM_WEIGHTED

# By position on the x axis, the value of every seed.
Points: TypeAlias = Mapping[float, Sequence[float]]
COLOURS = {"policy": "#3366cc", "control": "#999999", "search": "#cc3333", "majority": "#e0a020"}
BY_TOKENS = {
    "samples, any right (pass@n)": (("sample", PASS_AT_N), "#999999", ":"),
    "samples, majority weighted by PPM": (("sample", PPM_WEIGHTED), "#3366cc", "-"),
    "guided sampling, majority": (("guided", MAJORITY), "#cc3333", "-"),
    "trees, best PPM": (("tree", BEST_PPM), "#7733aa", "-"),
    "samples, best PPM": (("sample", BEST_PPM), "#3366cc", "--"),
    "samples, majority": (("sample", MAJORITY), "#e0a020", "-"),
}
LOOKS: Mapping[str, dict[str, Any]] = {
    "round": {"title": "held-out problems, by round", "xticks": range(4)},
    "sampled tokens a problem": {"title": "fresh problems, after round 3, by tokens"},
}


@dataclass
class Line:
    """One curve over all seeds."""

    label: str
    colour: str
    style: str = "-"
    points: dict[float, list[float]] = field(default_factory=lambda: defaultdict(list))


def main(arguments: list[str] | None = None) -> int:
    """Draw what the folder has: by round, by tokens, or both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args(arguments)
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "rstar", "font.size": 9})
    by = {
        "round": by_round(
            _read(options.folder, "seed-*.json"), _read(options.folder, "control-*.json")
        ),
        "sampled tokens a problem": by_tokens(_read(options.folder, "guides-*.json")),
    }
    measured = {name: lines for name, lines in by.items() if lines}
    figure = Figure(figsize=(4.5 * len(measured), 4.4), layout="constrained")
    panels = figure.subplots(1, len(measured), squeeze=False)[0]
    for axes, (name, lines) in zip(panels, measured.items(), strict=True):
        _draw(axes, lines)
        axes.set(xlabel=name, ylabel="accuracy, %", **LOOKS[name])
        axes.grid(alpha=0.3)
        axes.legend(frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.18))
    figure.savefig(options.out, metadata={"Date": None})
    return 0


def by_round(
    runs: Iterable[Mapping[str, Any]], controls: Iterable[Mapping[str, Any]]
) -> list[Line]:
    """Of the runs: policy, search and majority; of the controls: the policy."""
    lines = {name: Line(name, colour) for name, colour in COLOURS.items()}
    for run in runs:
        for row in run["rounds"]:
            _add(lines["policy"], row["number"], row["policy_pass_at_1"])
            _add(lines["search"], row["number"], row["search_pass_at_1"])
            _add(lines["majority"], row["number"], row["majority"])
    for run in controls:
        for row in run["rounds"]:
            _add(lines["control"], row["number"], row["policy_pass_at_1"])
    lines["search"].label = "search, guided by the PPM"
    lines["majority"].label = "majority of samples, same tokens"
    lines["control"].label = "policy, control without search"
    return [line for line in lines.values() if line.points]


def by_tokens(tables: Iterable[Mapping[str, Any]]) -> list[Line]:
    """Strategies and rules over the tokens that they really took."""
    lines = {
        (strategy, rule.name): Line(label, colour, style)
        for label, ((strategy, rule), colour, style) in BY_TOKENS.items()
    }
    tokens: dict[tuple[str, str, int], list[float]] = defaultdict(list)
    shares: dict[tuple[str, str, int], list[float]] = defaultdict(list)
    for table in tables:
        for row in table["rows"]:
            key = (row["method"], row["rule"], row["trajectories"])
            tokens[key].append(row["tokens"])
            shares[key].append(row["accuracy"])
    for key, found in shares.items():
        if key[:2] in lines and key[2]:
            lines[key[:2]].points[fmean(tokens[key])] = [100 * share for share in found]
    return [line for line in lines.values() if line.points]


def _add(line: Line, place: float, share: float | None) -> None:
    if share is not None:
        line.points[place].append(100 * share)


def _draw(axes: Axes, lines: Sequence[Line]) -> None:
    for line in lines:
        places = sorted(line.points)
        values = [line.points[place] for place in places]
        means = [fmean(seeds) for seeds in values]
        axes.plot(places, means, line.style, color=line.colour, label=line.label, marker="o", ms=3)
        axes.fill_between(
            places, list(map(min, values)), list(map(max, values)), color=line.colour, alpha=0.12
        )


def _read(folder: Path, pattern: str) -> list[dict[str, Any]]:
    return [json.loads(file.read_text()) for file in sorted(folder.glob(pattern)) if file.is_file()]


if __name__ == "__main__":
    raise SystemExit(main())
