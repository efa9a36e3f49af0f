from io import StringIO

from rich.console import Console

from rstar_async.evaluation.live_tree import nodes_to_draw, plain, render_tree
from rstar_async.search.paths import parent_of
from storage.queries.dashboard_trees import TreeNode


def node(path: str, status: str = "live", *, answer: str = "", expansion: int = 1) -> TreeNode:
    return TreeNode(path, expansion, status, None, answer, 1, 0.5, 1, 0.5, "ok", f"step {path}")  # type: ignore[arg-type]


def drawn(trees, lines: int = 20) -> str:
    console = Console(width=100, height=40, record=True, file=StringIO())
    console.print(render_tree(trees, lines, 1.0))
    return console.export_text()


def test_answers_are_drawn_first_with_the_way_to_them():
    tree = [node("0", "root"), *(node(f"0.{n}") for n in range(1, 30)), node("0.7.1"),
            node("0.7.1.1", "answer", answer="42", expansion=3)]  # fmt: skip
    shown = nodes_to_draw(tree, 5)
    assert {"0.7", "0.7.1", "0.7.1.1"} <= shown
    assert len(shown) <= 5
    assert all(parent_of(path) in shown | {"0"} for path in shown)


def test_the_picture_fits_and_counts_what_it_leaves_out():
    tree = [node("0", "root"), *(node(f"0.{n}", expansion=n) for n in range(1, 200))]
    said = drawn([tree, []], lines=10)
    assert "1 of 2 trees begun" in said
    assert "199 steps" in said
    assert "and 189 more" in said
    assert len(said.splitlines()) < 16


def test_before_the_first_step_it_says_what_it_waits_for():
    assert "waiting for the model" in drawn([[], []])


def test_a_model_cannot_move_the_cursor():
    assert "\x1b" not in plain("a\x1b[2Jb\rc\nd")
    hostile = node("0.1", "answer", answer="\x1b[2J[bold]x")
    assert "\x1b[2J" not in drawn([[node("0", "root"), hostile]])
