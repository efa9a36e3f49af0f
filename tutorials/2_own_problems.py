import marimo

app = marimo.App(app_title="2 · Your own problems and model")


@app.cell(hide_code=True)
def _():
    import marimo as mo

    mo.md(
        """
        # 2 · Your own problems and model

        A run needs a model and a file of questions with answers. Here both are small: the demo's
        model, and sixteen generated problems in place of yours.
        """
    )
    return (mo,)


@app.cell
def _():
    import json
    import tempfile
    from pathlib import Path

    from rstar_async.demo.problems import word_problems

    folder = Path(tempfile.mkdtemp())
    rows = [
        {"question": problem.question, "answer": problem.answer}
        for problem in word_problems(16, (1, 2), 5, "train")
    ]
    (folder / "problems.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    rows[0]
    return (folder,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(
        """
        The command line does the rest; `rstar` below is what you would type in a terminal. For a
        model of yours, `--model` takes a folder, a hub id or a GGUF file. Four problems are held
        out and measured. The other options make the round small enough for a minute.
        """
    )
    return


@app.cell
def _(folder):
    import subprocess
    import sys

    def rstar(*words):
        """Run the command line in `folder` and return what it prints."""
        command = [sys.executable, "-m", "rstar_async.cli", *words]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return done.stdout

    small = "--search.rollouts 4 --search.candidates 4 --search.max_tokens 40 --ppm.min_steps 10"
    learn = "--policy.learning_rate 1e-3 --evaluation.samples 2 --evaluation.search false"
    options = f"{small} {learn} --problems.heldout 4".split()
    rstar("run", "--model", "demo", "--problems", "problems.jsonl", "--name", "mine", *options)
    rstar("report", "runs/mine")
    return (rstar,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(
        """
        One line for each round: problems solved, what the policy and the PPM were trained on, and
        the accuracy on the held-out problems. Four of them prove nothing; a run of yours measures a
        fifth of its problems, 100 at most. The solutions that the next policy learns from:
        """
    )
    return


@app.cell
def _(rstar):
    rstar("trajectories", "runs/mine", "--limit", "1")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(
        """
        The same command with `--rounds 2` goes on from here. `rstar view runs/mine` shows the run
        in a browser, and [Your own model](../own_model.md) says what to do if nothing is learnt.
        **Next:** [what a round leaves behind](3_round.md).
        """
    )
    return


if __name__ == "__main__":
    app.run()
