import marimo

app = marimo.App(app_title="5 · A verifier of your own")


@app.cell(hide_code=True)
def _():
    import marimo as mo

    mo.md(
        """
        # 5 · A verifier of your own

        What is right need not be a gold answer. A verifier is a function of a whole solution: its
        question, its steps, what its code printed, and its answer. It returns `True`, `False`, or
        `None` if it cannot tell; undecided answers teach nothing.
        """
    )
    return (mo,)


@app.cell
def _():
    import rstar_async

    def is_even(solution: rstar_async.Solution) -> bool | None:
        """Right if the answer is an even number; undecided if it is no number."""
        return int(solution.answer) % 2 == 0 if solution.answer.isdigit() else None

    question = "1) Tom has 12 coins. 2) He buys 6 coins. 3) How many coins does Tom have now?"
    found = rstar_async.search_one(question, verifier=is_even, rollouts=6, candidates=4)
    f"answer {found.answer}, right: {found.is_correct}"
    return found, question, rstar_async


@app.cell(hide_code=True)
def _(mo):
    mo.md("Every answer of the tree got its verdict:")
    return


@app.cell
def _(found):
    sorted((node.candidate.answer, node.candidate.is_correct) for node in found.tree.answers())
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(
        """
        A reward values single steps, from -1 to 1, in place of a PPM. This one prefers short steps,
        so the search spends its rollouts below them:
        """
    )
    return


@app.cell
def _(question, rstar_async):
    def prefers_short_steps(solution: rstar_async.Solution) -> float:
        """From 1 for a very short last step down to -1."""
        return max(-1.0, 1.0 - len(solution.steps[-1]) / 100)

    guided = rstar_async.search_one(question, reward=prefers_short_steps, rollouts=6, candidates=4)
    "\n".join(f"Q {node.q:+.2f}  {node.candidate.text.strip()}" for node in guided.path)
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(
        """
        Both may be `async`, to ask a server. For whole runs, and to verify by unit tests in the
        sandbox, write a [domain](../python.md#a-kind-of-problem-of-your-own).
        **Next:** [export to TRL](6_trl.md).
        """
    )
    return


if __name__ == "__main__":
    app.run()
