"""The results of an evaluation, and the answer to a question, for people."""

from collections.abc import Sequence

from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table

from rstar_async.evaluation.request import Result, Results, Solved
from rstar_async.evaluation.table import UNTIL_SURE
from rstar_async.sanitize import without_controls

FAMILIES = {
    "tree": "tree search",
    "beam": "step beam search",
    "sample": "sampled solutions",
    "greedy": "greedy",
}
NONE = "-"


def table_of(results: Results) -> Table:
    """Methods down, numbers of trajectories across; the policy alone above."""
    counts = sorted({row.trajectories for row in results.rows if row.trajectories})
    table = Table(title=_title(results), title_justify="left")
    table.add_column("")
    for count in counts:
        table.add_column(f"{count} trajector{'y' if count == 1 else 'ies'}", justify="right")
    for row in _alone(results):
        name = "greedy" if row.method == "greedy" else "sampled, mean"
        table.add_row(f"policy alone: {name}", accuracy(row))
    table.add_section()
    for method in ("tree", "beam", "sample"):
        _add_family(table, results, method, counts)
    return table


def caption(results: Results) -> str:
    """What the figures mean and what they took."""
    return (
        f"percent of {results.problems} problems with 95 % intervals; beams and samples use the "
        f"tokens of the trees above them\n{results.rollouts} rollouts of {results.candidates} "
        f"candidates a tree, seed {results.seed}; now generated {results.generated:,} tokens in "
        f"{results.seconds:,.0f} s{_spared(results)}{_trust(results.pair_accuracy)}"
    )


def show_solved(solved: Solved) -> None:
    """Print solution, answer, votes and costs; what a model wrote cannot steer the terminal."""
    console = Console()
    figures = f"{solved.tokens:,} tokens in {solved.seconds:.0f} s"
    if not solved.answer:
        console.print(f"no answer: none of {solved.trajectories} trees came to one ({figures})")
        return
    console.print(Syntax(without_controls(solved.text).strip(), "python", word_wrap=True))
    console.rule()
    console.print(f"answer     {without_controls(solved.answer)}", markup=False, highlight=False)
    for vote in solved.votes:
        score = "" if vote.best_score is None else f", best PPM value {vote.best_score:+.2f}"
        answer = without_controls(vote.answer)
        words = f"{vote.trajectories} of {solved.trajectories} trees say {answer}"
        console.print(f"           {words}{score}", markup=False, highlight=False)
    console.print(f"           {figures}", highlight=False)


def accuracy(row: Result) -> str:
    """`61.1 [51, 70]`, in percent."""
    return f"{100 * row.accuracy:.1f} [{100 * row.low:.0f}, {100 * row.high:.0f}]"


def _spared(results: Results) -> str:
    """What it saves to draw no more trees than it takes."""
    if results.spared is None:
        return ""
    tokens, points = ([100 * figure for figure in interval] for interval in results.spared)
    most = max((row.trajectories for row in results.rows), default=0)
    return (
        f"\n{UNTIL_SURE} takes {tokens[0]:.1f} % [{tokens[1]:.0f}, {tokens[2]:.0f}] of the tokens "
        f"of {most} trajectories; accuracy {points[0]:+.1f} points "
        f"[{points[1]:+.1f}, {points[2]:+.1f}]"
    )


def _trust(pair_accuracy: float | None) -> str:
    """How much the rules by PPM value can be worth."""
    if pair_accuracy is None:
        return ""
    ordered = f"the PPM orders {100 * pair_accuracy:.1f} % of held-out pairs rightly"
    return f"\n{ordered}, chance is 50 %"


def _title(results: Results) -> str:
    ppm = f" with {results.ppm}" if results.ppm else ", no PPM"
    return f"{results.benchmark}: {results.policy}{ppm}"


def _alone(results: Results) -> list[Result]:
    return [row for row in results.rows if not row.trajectories]


def _add_family(table: Table, results: Results, method: str, counts: Sequence[int]) -> None:
    rows = [row for row in results.rows if row.method == method and row.trajectories]
    if not rows:
        return
    for rule in dict.fromkeys(row.rule for row in rows):
        of_rule = {row.trajectories: row for row in rows if row.rule == rule}
        table.add_row(f"{FAMILIES[method]}: {rule}", *(accuracy(of_rule[n]) for n in counts))
        if rule == UNTIL_SURE:
            spent = (f"{of_rule[n].drawn:.1f} trees, {of_rule[n].tokens:,.0f}" for n in counts)
            table.add_row("  that took (tokens)", *spent, style="dim")
    first = {row.trajectories: row for row in reversed(rows)}
    if method != "tree":
        table.add_row("  drawn", *(f"{first[n].drawn:.1f}" for n in counts), style="dim")
    table.add_row("  tokens a problem", *(f"{first[n].tokens:,.0f}" for n in counts), style="dim")
    table.add_row("  seconds a problem", *(f"{first[n].seconds:,.1f}" for n in counts), style="dim")
    table.add_section()
