"""The results of an evaluation, and the answer to a question, for people."""

from collections.abc import Sequence

from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table

from rstar_async.evaluation.results import Interval, Result, Results
from rstar_async.evaluation.schedule_comparison import ScheduleResult, ScheduleResults
from rstar_async.evaluation.selection import ADAPTIVE_MAJORITY
from rstar_async.evaluation.solve import Solved
from rstar_async.evaluation.strategies import TREE, in_table_order, strategies
from rstar_async.evaluation.strategy import Strategy
from rstar_async.sanitize import without_controls


def table_of(results: Results) -> Table:
    """Strategies down, numbers of trajectories across; the policy alone above."""
    counts = sorted({row.trajectories for row in results.rows if row.trajectories})
    table = Table(title=_title(results), title_justify="left")
    table.add_column("")
    for count in counts:
        table.add_column(f"{count} trajector{'y' if count == 1 else 'ies'}", justify="right")
    for row in results.rows:
        if not row.trajectories:
            table.add_row(f"policy alone: {strategies()[row.method].alone}", accuracy(row))
    table.add_section()
    for strategy in in_table_order(strategies().values()):
        _add_strategy(table, results, strategy, counts)
    return table


def caption(results: Results) -> str:
    """What the figures mean and what they took."""
    return (
        f"{_missing(results)}percent of {_measured(results)} problems with 95 % intervals; beams "
        f"and samples use the tokens of the trees above them\n"
        f"{results.rollouts} rollouts of {results.candidates} "
        f"candidates a tree, seed {results.seed}; now generated {results.generated:,} tokens in "
        f"{results.seconds:,.0f} s{_savings(results)}{_trust(results)}"
    )


def show_solved(solved: Solved) -> None:
    """Print solution, answer, votes and costs; what a model wrote cannot steer the terminal."""
    console = Console()
    figures = f"{solved.tokens:,} tokens in {solved.seconds:.0f} s"
    if not solved.answer:
        console.print(f"no answer: none of {solved.trajectories} trees came to one ({figures})")
        _show_failed(console, solved)
        for doubt in solved.doubts:
            console.print(without_controls(doubt), markup=False, highlight=False, style="yellow")
        return
    console.print(Syntax(without_controls(solved.text).strip(), "python", word_wrap=True))
    console.rule()
    console.print(f"answer     {_brief(solved.answer, solved)}", markup=False, highlight=False)
    if solved.passes is not None:
        verdict = "passes the tests" if solved.passes else "[bold red]fails the tests[/]"
        console.print(f"           {verdict}", highlight=False)
    for vote in solved.votes:
        score = "" if vote.best_score is None else f", best PPM value {vote.best_score:+.2f}"
        counts = f"{vote.trajectories} of {solved.trajectories} trees"
        line = f"           {counts} say {_brief(vote.answer, solved)}{score}"
        console.print(line, markup=False, highlight=False)
    console.print(f"           {figures}", highlight=False)
    _show_failed(console, solved)
    for number, doubt in enumerate(solved.doubts):
        line = f"{'' if number else 'doubtful':11}{without_controls(doubt)}"
        console.print(line, markup=False, highlight=False, style="yellow")


def _brief(answer: str, solved: Solved) -> str:
    """On one line, and safe: an answer can be a whole program."""
    if "\n" not in answer:
        return without_controls(answer)
    return "the program above" if answer == solved.answer else "another program"


def _show_failed(console: Console, solved: Solved) -> None:
    if solved.failed:
        reason = without_controls(solved.failure)
        line = f"           {solved.failed} more trees could not be grown: {reason}"
        console.print(line, markup=False, highlight=False)


def accuracy(row: Result) -> str:
    """`61.1 [51, 70]`, in percent."""
    return f"{100 * row.accuracy:.1f} [{100 * row.low:.0f}, {100 * row.high:.0f}]"


def _measured(results: Results | ScheduleResults) -> str:
    """`39 of 39`; older results say only how many were asked."""
    asked = results.problems
    return f"{asked}" if results.measured is None else f"{results.measured} of {asked}"


def _missing(results: Results | ScheduleResults) -> str:
    if not results.failure:
        return ""
    said = without_controls(results.failure)
    return f"NOT STORED. {said}\nthe same command again tries what is missing\n"


def _savings(results: Results) -> str:
    """What adaptive consistency saves."""
    if results.token_savings is None:
        return ""
    tokens, points = results.token_savings
    most = max((row.trajectories for row in results.rows), default=0)
    return (
        f"\n{ADAPTIVE_MAJORITY.name} takes {100 * tokens[0]:.1f} % {_bounds(tokens, '.0f')} of "
        f"the tokens of {most} trajectories; accuracy {100 * points[0]:+.1f} points "
        f"{_bounds(points, '+.1f')}"
    )


def _trust(results: Results) -> str:
    """How much the rules by PPM value can be worth."""
    if results.ppm_note:
        return f"\n{results.ppm_note}"
    if results.pair_accuracy is None:
        return ""
    ordered = f"the PPM orders {100 * results.pair_accuracy:.1f} % of held-out pairs rightly"
    return f"\n{ordered}, chance is 50 %"


def _title(results: Results | ScheduleResults) -> str:
    ppm = f" with {results.ppm}" if results.ppm else ", no PPM"
    return f"{results.benchmark}: {results.policy}{ppm}"


def _add_strategy(
    table: Table, results: Results, strategy: Strategy, counts: Sequence[int]
) -> None:
    rows = [row for row in results.rows if row.method == strategy.name and row.trajectories]
    if not rows:
        return
    for rule in dict.fromkeys(row.rule for row in rows):
        of_rule = {row.trajectories: row for row in rows if row.rule == rule}
        table.add_row(f"{strategy.title}: {rule}", *(accuracy(of_rule[n]) for n in counts))
        if rule == strategy.rules[0].name and all(row.over_majority for row in of_rule.values()):
            leads = (_points(of_rule[n].over_majority, 0) for n in counts)
            table.add_row("  over majority of samples", *leads, style="dim")
        if rule == ADAPTIVE_MAJORITY.name:
            spent = (f"{of_rule[n].drawn:.1f} trees, {of_rule[n].tokens:,.0f}" for n in counts)
            table.add_row("  that took (tokens)", *spent, style="dim")
    first = {row.trajectories: row for row in reversed(rows)}
    if strategy is not TREE:
        table.add_row("  drawn", *(f"{first[n].drawn:.1f}" for n in counts), style="dim")
    table.add_row("  tokens a problem", *(f"{first[n].tokens:,.0f}" for n in counts), style="dim")
    table.add_row("  seconds a problem", *(f"{first[n].seconds:,.1f}" for n in counts), style="dim")
    table.add_section()


def schedules_table(results: ScheduleResults) -> Table:
    """Schedules down; the first is what the others are compared with."""
    table = Table(title=_title(results), title_justify="left")
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
        f"{_missing(results)}means over {_measured(results)} problems x {results.trees} trees, "
        f"one answer a tree by {results.answer}, "
        f"{results.candidates} candidates, seed {results.seed}; 95 % intervals "
        f"over problems, paired; {results.seconds:,.0f} s"
        + (f"\n{results.ppm_note}" if results.ppm_note else "")
    )


def _cells(row: ScheduleResult) -> list[str]:
    return [
        row.schedule,
        f"{row.rollouts:.1f}",
        f"{100 * row.converged:.0f} %",
        f"{row.tokens:,.0f}",
    ]


def _compared(row: ScheduleResult) -> tuple[str, str, str]:
    return _percent(row.tokens_share), _percent(row.accuracy), _points(row.difference)


def _points(difference: Interval | None, digits: int = 1) -> str:
    """`+10.8 [+5.0, +17.5]`, in points of a hundred; bounds with so many `digits`."""
    if difference is None:
        return ""
    return f"{100 * difference[0]:+.1f} {_bounds(difference, f'+.{digits}f')}"


def _percent(figure: Interval) -> str:
    return f"{100 * figure[0]:.1f} {_bounds(figure, '.0f')}"


def _bounds(figure: Interval, form: str) -> str:
    """`[23, 31]`, in percent; `[-, -]` where a single problem tells of no bounds."""
    low, high = ("-" if bound is None else format(100 * bound, form) for bound in figure[1:])
    return f"[{low}, {high}]"
