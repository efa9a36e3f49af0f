import marimo

app = marimo.App(app_title="3 · A round, its pairs, its PPM")


@app.cell(hide_code=True)
def _():
    import marimo as mo

    mo.md(
        """
        # 3 · A round, its pairs, its PPM

        A round searches all problems, then trains two models: the policy on the best right
        solutions, and the process preference model (PPM) on pairs of steps. We make a small round
        and look at the pairs.
        """
    )
    return (mo,)


@app.cell
def _():
    import json
    import subprocess
    import sys
    import tempfile
    from pathlib import Path

    from rstar_async.demo.problems import word_problems

    folder = Path(tempfile.mkdtemp())
    rows = [
        {"question": problem.question, "answer": problem.answer}
        for problem in word_problems(20, (2, 3), 7, "train")
    ]
    (folder / "problems.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def rstar(*words):
        """Run the command line in `folder` and return what it prints."""
        command = [sys.executable, "-m", "rstar_async.cli", *words]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return done.stdout

    search = "--search.rollouts 6 --search.candidates 4 --search.max_tokens 40"
    train = "--ppm.min_steps 30 --ppm.learning_rate 1e-3 --ppm.heldout_share 0.3"
    options = f"{search} {train} --policy.train false --problems.heldout 0".split()
    rstar("run", "--model", "demo", "--problems", "problems.jsonl", "--name", "pairs", *options)
    rstar("report", "runs/pairs")
    return folder, json, rstar


@app.cell(hide_code=True)
def _(mo):
    mo.md(
        """
        A pair is two next steps after the same beginning. The better one led to right answers, the
        worse one to wrong ones; the search found both. One of them:
        """
    )
    return


@app.cell
def _(folder, json, rstar):
    rstar("export", "runs/pairs", "pairs.jsonl", "--as", "preferences")
    pairs = [json.loads(row) for row in (folder / "pairs.jsonl").read_text().splitlines()]
    one = pairs[0]
    "\n".join(f"{part}:\n{one[part].strip()}\n" for part in ("prompt", "chosen", "rejected"))
    return (pairs,)


@app.cell
def _(pairs):
    f"{len(pairs)} pairs"
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(
        """
        The PPM scores every step of a tree in one forward pass. Pairs of some problems were kept
        back (`ppm.heldout_share`). On these the PPM must order more pairs right than two simple
        rules, the shorter step and the step that the policy finds likelier; otherwise no search
        uses it. Its figures:
        """
    )
    return


@app.cell
def _(folder, json):
    (manifest,) = (folder / "runs" / "pairs" / "models").glob("ppm-*/manifest.json")
    metrics = json.loads(manifest.read_text())["metrics"]
    names = ("pairs", "pairs_heldout", "steps", "loss_first", "loss_last", "pair_accuracy")
    names += ("pair_accuracy_shorter", "pair_accuracy_likelier", "trusted")
    {name: metrics.get(name) for name in names}
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(
        """
        `trusted` is None where fewer than eight problems are held out: too few to decide. Real runs
        need more of everything. [Training](../training.md#the-ppm) has the settings.
        **Next:** [what search is worth at test time](4_strategies.md).
        """
    )
    return


if __name__ == "__main__":
    app.run()
