import marimo

app = marimo.App(app_title="4 · Test-time strategies compared")


@app.cell(hide_code=True)
def _():
    import marimo as mo

    mo.md(
        """
        # 4 · Test-time strategies compared

        A tree costs many tokens. Whether they are well spent is seen only beside others that may
        spend as many: one greedy solution, or the majority of independent samples.
        """
    )
    return (mo,)


@app.cell
def _():
    import contextlib
    import json
    import subprocess
    import sys
    import tempfile
    from pathlib import Path

    from rstar_async.demo.problems import word_problems

    folder = Path(tempfile.mkdtemp())

    def write(name, count, seed):
        rows = [
            {"question": problem.question, "answer": problem.answer}
            for problem in word_problems(count, (2, 3), seed, "heldout")
        ]
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))

    def rstar(*words):
        """Run the command line in `folder` and return what it prints."""
        command = [sys.executable, "-m", "rstar_async.cli", *words]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return done.stdout

    write("train.jsonl", 2, seed=1)
    write("test.jsonl", 8, seed=2)
    return contextlib, rstar


@app.cell(hide_code=True)
def _(mo):
    mo.md(
        """
        `rstar evaluate` measures the models of a run. A run without training publishes the demo's
        model as it is:
        """
    )
    return


@app.cell
def _(contextlib, rstar):
    options = "--policy.train false --ppm.train false --problems.heldout 0 --search.rollouts 1"
    words = ["--model", "demo", "--problems", "train.jsonl", "--name", "plain", *options.split()]
    with contextlib.suppress(RuntimeError):  # exit code 3: nothing was learnt, as was asked for
        rstar("run", *words)
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(
        """
        Then one tree and four trees a problem, against greedy decoding and samples for as many
        tokens:
        """
    )
    return


@app.cell
def _(rstar):
    sizes = "--evaluation.rollouts 4 --evaluation.candidates 4 --search.max_tokens 40".split()
    told = rstar(
        *("evaluate", "runs/plain", "--benchmark", "test.jsonl"),
        *("--trajectories", "1,4", "--against", "greedy,sample", *sizes),
    )
    told[told.index("test: ") :]
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(
        """
        Eight problems give wide intervals; read the columns, not the winner. More strategies (beam
        search, guided decoding) and what they mean: [Measuring and solving](../evaluation.md).
        **Next:** [a verifier of your own](5_verifier.md).
        """
    )
    return


if __name__ == "__main__":
    app.run()
