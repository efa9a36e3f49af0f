"""The report as one HTML page without scripts; it loads nothing, and all text is escaped. Pure."""

from collections.abc import Iterator

from rstar_async.reports import curves, tables
from rstar_async.reports.contents import Example, Report
from rstar_async.reports.curves import Bars, Curves
from rstar_async.reports.markup import Content, Markup, tag
from rstar_async.reports.plots import bar_plot, line_plot
from rstar_async.reports.tables import Table

STYLE = """
:root { color-scheme: light dark; --ink: #1c2330; --soft: #5c6675; --line: #d7dce3; --paper: #fff;
  --c0: #2f6fde; --c1: #d9622b; --c2: #2a9d70; --c3: #9b51c9; --c4: #c3a11c; --c5: #d04468;
  --c6: #3a9bb5; --c7: #7d8592; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ef; --soft: #9aa5b5; --line: #39414e;
  --paper: #14181f; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 1320px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.4rem; } h3 { font-size: 1rem; }
p.note, figcaption { color: var(--soft); }
table { border-collapse: collapse; display: block; overflow-x: auto; font-size: 0.85rem; }
th, td { padding: 0.25rem 0.55rem; border-bottom: 1px solid var(--line); text-align: right;
  font-variant-numeric: tabular-nums; }
th { vertical-align: bottom; line-height: 1.25; font-weight: 600; }
details td { overflow-wrap: anywhere; text-align: left; }
th:first-child, td:first-child { text-align: left; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid var(--line);
  padding: 0.7rem; font-size: 0.85rem; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(320px, 1fr)); gap: 1rem; }
figure { margin: 0; } svg { width: 100%; height: auto; }
svg text { font-size: 11px; fill: var(--soft); } text.y { text-anchor: end; }
text.x { text-anchor: middle; } .grid { stroke: var(--line); }
.line { fill: none; stroke-width: 2; } .bound { stroke-width: 1; opacity: 0.6; }
.legend { display: flex; flex-wrap: wrap; gap: 0.2rem 1rem; font-size: 0.85rem; }
.swatch { display: inline-block; width: 0.8em; height: 0.8em; margin-right: 0.4em; }
""" + "".join(
    f".c{n} {{ fill: var(--c{n}); }} i.c{n} {{ background: var(--c{n}); }} "
    f".s{n} {{ stroke: var(--c{n}); }}\n"
    for n in range(8)
)


# A second defence: the browser runs no script and loads nothing.
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page_of(report: Report) -> str:
    """The whole document."""
    return document(f"rStar report: {report.run}", [_facts(report), list(_sections(report))])


def document(title: str, content: list[Content]) -> str:
    """A page with this title, in the style of reports."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", title),
        tag("style", Markup(STYLE)),
    )
    body = tag("body", tag("h1", title), content)
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _sections(report: Report) -> Iterator[Content]:
    yield _section(
        "Rounds", [table_of(tables.rounds_table([facts.row for facts in report.rounds]))]
    )
    yield _plots([plot_of(curves.round_curves(report)), plot_of(curves.coverage_curves(report))])
    yield _section(
        "Held-out problems", [_note(HELDOUT_NOTE), table_of(tables.heldout_table(report))]
    )
    yield _section("Test time", list(_test_time(report)))
    yield _section(
        "Coverage by difficulty",
        [
            _note(
                "Shares of problems with a right answer in search. Easy: all answers right; hard: "
                "none."
            ),
            table_of(tables.coverage_table(report)),
        ],
    )
    yield _section("Rollouts", [_note(ROLLOUTS_NOTE), table_of(tables.rollouts_table(report))])
    yield _section("Q and PPM values", [_plots(_histograms(report))])
    yield _section("Preference pairs", [table_of(tables.pairs_table(report)), *_labels(report)])
    yield _section("Training", [table_of(tables.training_table(report))])
    yield _section(
        "Code", [table_of(tables.endings_table(report)), table_of(tables.errors_table(report))]
    )
    yield _section("Cost", [_note(COST_NOTE), table_of(tables.cost_table(report))])
    yield _section("Solutions", [_example(example) for example in report.examples])
    yield _section("Settings", [_settings(report)])


HELDOUT_NOTE = (
    "The policy alone. Samples without an answer have no answer that could be parsed. A gain whose "
    "interval contains zero may be chance."
)

ROLLOUTS_NOTE = (
    "The rollouts that were made, and their share of a fixed schedule that gives every problem as "
    "many rollouts as the hardest one may get."
)

LABELS_NOTE = (
    "Search labels a step by the answers below it. Where problems are generated the truth about "
    "each step is known: a pair is right if its chosen step does what the question says and its "
    "rejected step does not; a process is right if all its steps are."
)

COST_NOTE = (
    "Per solution that the policy was trained on. Tokens and executor seconds are those of the "
    "searches; seconds are those of the whole rounds with training and evaluation. All rounds "
    "whose solutions were used are added up. Waiting seconds are added up over concurrent searches."
)


def _facts(report: Report) -> Markup:
    words = f"seed {report.seed}, version {report.code_version}, {report.seconds:,.0f} s, "
    return _note(words + report.database)


def _test_time(report: Report) -> Iterator[Content]:
    for found in report.test_time:
        yield _plots([plot_of(plot) for plot in curves.scaling_curves(found)])
        yield table_of(tables.test_time_table(found))
        settings = ", ".join(f"{key} {value:g}" for key, value in found.settings.items())
        ppm = f"PPM {found.ppm_id}" if found.ppm_id else "no PPM"
        yield _note(f"round {found.round}, {ppm}, {settings}; baselines at equal tokens")
        yield _note(found.ppm_note) if found.ppm_note else None


def _labels(report: Report) -> list[Content]:
    table = table_of(tables.labels_table([facts.row for facts in report.rounds]))
    return [table, _note(LABELS_NOTE)] if table else []


def _histograms(report: Report) -> list[Content]:
    return [_bars(bars) for facts in tables.searched(report) for bars in curves.histograms(facts)]


def _example(example: Example) -> Markup:
    verdict = "answer verified" if example.correct else "wrong answer"
    return tag(
        "article",
        tag("h3", f"{verdict}, mean Q {example.mean_q:+.2f}, round {example.round}"),
        tag("p", example.question),
        tag("pre", example.text),
    )


def _settings(report: Report) -> Markup:
    rows = [tag("tr", tag("td", key), tag("td", value)) for key, value in report.settings.items()]
    return tag("details", tag("summary", "the resolved recipe"), tag("table", rows))


def _section(title: str, content: list[Content]) -> Content:
    """Without the title of a table that has the section's own."""
    heading = tag("h3", title)
    shown = [_without(heading, each) for each in content]
    return tag("section", tag("h2", title), shown) if any(shown) else None


def _without(heading: Markup, content: Content) -> Content:
    if not isinstance(content, list):
        return content
    return [each for each in content if each != heading]


def _plots(content: list[Content]) -> Content:
    return tag("div", content, class_="plots") if any(content) else None


def _note(words: str) -> Markup:
    return tag("p", words, class_="note")


def table_of(table: Table) -> Content:
    if not table.rows:
        return None
    head = tag("tr", [tag("th", name) for name in table.header])
    rows = [tag("tr", [tag("td", cell) for cell in row]) for row in table.rows]
    return [tag("h3", table.title), tag("table", tag("thead", head), tag("tbody", rows))]


def plot_of(plot: Curves) -> Content:
    if not plot.series:
        return None
    return line_plot(plot.title, plot.series, plot.positions, plot.x_title)


def _bars(bars: Bars) -> Content:
    return bar_plot(bars.title, bars.groups, bars.positions, bars.x_title)
