"""Shows in the terminal how a tree grows while a question is searched, by polling the store."""

import time
from collections.abc import Sequence

import trio
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text
from rich.tree import Tree as Drawing

from rstar_async.sanitize import without_controls
from rstar_async.search.paths import depth_first, parent_of, path_from_root
from storage import queries
from storage.queries.dashboard_trees import TreeNode
from storage.store import Store

POLL_SECONDS = 0.2
LINES_BESIDE_THE_TREE = 8
MAX_CHARACTERS = 90
_COLOURS = {"live": "", "code_error": "red"}


async def watch_search(store: Store, searches: Sequence[str], console: Console) -> None:
    """Draw the largest tree until cancelled; nothing if the console is no terminal."""
    started = time.monotonic()
    if not console.is_terminal:
        await trio.sleep_forever()
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while True:
            trees = [await store.read(queries.tree_page, search) for search in searches]
            lines = console.height - LINES_BESIDE_THE_TREE
            live.update(render_tree(trees, lines, time.monotonic() - started), refresh=True)
            await trio.sleep(POLL_SECONDS)


def render_tree(trees: Sequence[Sequence[TreeNode]], lines: int, seconds: float) -> Group:
    """The figures of all trees, and at most `lines` lines of the largest one. Pure."""
    nodes = [node for tree in trees for node in tree if node.path != "0"]
    answers = [node for node in nodes if node.status == "answer"]
    begun = sum(bool(tree) for tree in trees)
    head = Text(
        f"{seconds:5.0f} s · {begun} of {len(trees)} trees begun · {len(nodes):,} steps"
        f" · {len(answers)} answers",
        style="bold",
    )
    if not nodes:
        return Group(head, Text("waiting for the model", style="dim"))
    latest = max(trees, key=lambda tree: (len(tree), tree[0].path if tree else ""))
    return Group(head, drawn_tree(latest, lines), _answer_counts(answers))


def drawn_tree(tree: Sequence[TreeNode], lines: int) -> Drawing:
    """The nodes that fit, each below its parent, and how many are left out. Pure."""
    shown = nodes_to_draw(tree, lines)
    branches = {"0": Drawing(Text("question", style="dim"))}
    by_path = {node.path: node for node in tree}
    for path in depth_first(shown):
        branches[path] = branches[parent_of(path)].add(_label(by_path[path]))
    hidden = len(tree) - 1 - len(shown)
    if hidden > 0:
        branches["0"].add(Text(f"… and {hidden:,} more", style="dim"))
    return branches["0"]


def nodes_to_draw(tree: Sequence[TreeNode], lines: int) -> set[str]:
    """The paths to draw: answers and the newest steps first, each with its ancestors. Pure."""
    by_weight = sorted(
        (node for node in tree if node.path != "0"),
        key=lambda n: (n.status == "answer", n.expansion, n.visits, n.prior or 0.0),
        reverse=True,
    )
    shown: set[str] = set()
    for node in by_weight:
        wanted = set(path_from_root(node.path)) - shown
        if len(shown) + len(wanted) <= max(3, lines):
            shown |= wanted
    return shown


def _label(node: TreeNode) -> Text:
    q = node.value_sum / node.visits if node.visits else 0.0
    prior = "" if node.prior is None else f" ppm {node.prior:+.2f}"
    label = Text(f"N {node.visits:<3} Q {q:+.2f}{prior} ", style="dim", no_wrap=True)
    label.overflow = "ellipsis"
    if node.status == "answer":
        label.append(f"answer {plain(node.answer)}", style="bold green")
    else:
        label.append(plain(node.snippet), style=_COLOURS.get(node.status, "yellow"))
    return label


def _answer_counts(answers: Sequence[TreeNode]) -> Text:
    counts: dict[str, int] = {}
    for node in answers:
        counts[node.answer] = counts.get(node.answer, 0) + node.multiplicity
    most = sorted(counts.items(), key=lambda item: -item[1])[:5]
    words = [f"{plain(answer)} ({count} times)" for answer, count in most]
    return Text("   ".join(words), style="green")


def plain(text: str) -> str:
    """The beginning of the text in one line, safe for a terminal."""
    return without_controls(" ".join(text.split()))[:MAX_CHARACTERS]
