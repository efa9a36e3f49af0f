import marimo

app = marimo.App(app_title="1 · Search one problem")


@app.cell(hide_code=True)
def _():
    import marimo as mo

    mo.md(
        """
        # 1 · Search one problem and look at its tree

        A policy proposes steps, each a comment and Python code. Code that fails ends its branch.
        Monte Carlo tree search chooses where to go on, by the answers that were reached so far. The
        demo's model of one million parameters is enough to see it. It reads numbered sentences, and
        was never taught what "wins" and "lends" mean, so it guesses.
        """
    )
    return (mo,)


@app.cell
def _():
    import rstar_async

    question = (
        "1) Tom has 12 coins. 2) He wins 5 coins. 3) He lends 3 coins. "
        "4) How many coins does Tom have now?"
    )
    result = rstar_async.search_one(question, model="demo", answer="14", rollouts=8, candidates=4)
    f"answer {result.answer}, right: {result.is_correct}"
    return question, result, rstar_async


@app.cell(hide_code=True)
def _(mo):
    mo.md(
        """
        `answer` is the gold answer, by which answers are right or wrong; without it nothing says
        what is right. The solution, as the policy wrote it; the sandbox ran its code:
        """
    )
    return


@app.cell
def _(result):
    result.text
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(
        """
        The whole tree, a line for each node: how often it was visited (N), the mean value of the
        answers below it (Q, from -1 to 1), and the beginning of its step. Each guess at a word is a
        branch of its own; what ends a branch stands in brackets.
        """
    )
    return


@app.cell
def _(result):
    def line(node):
        """One node, indented by its depth."""
        words = " ".join(node.candidate.text.split())[:44]
        ended = "" if node.status == "live" else f" [{node.status.value}]"
        return f"{'  ' * (node.depth - 1)}N {node.visits}  Q {node.q:+.2f}  {words}{ended}"

    nodes = [node for node in result.tree.nodes.values() if node.depth]
    nodes.sort(key=lambda node: [int(part) for part in node.path.split(".")])
    "\n".join(map(line, nodes))
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("Rollouts end where nothing is left to expand. What the search cost:")
    return


@app.cell
def _(result):
    cost = result.statistics
    {"rollouts": cost.rollouts, "nodes": cost.nodes, "tokens": cost.tokens}
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(
        """
        **Next:** the same for [your own problems and model](2_own_problems.md). In a terminal,
        `rstar solve "…" --model demo` draws the tree while it grows.
        """
    )
    return


if __name__ == "__main__":
    app.run()
