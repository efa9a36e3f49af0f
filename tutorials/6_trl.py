import marimo

app = marimo.App(app_title="6 · Export to TRL")


@app.cell(hide_code=True)
def _():
    import marimo as mo

    mo.md(
        """
        # 6 · Export to TRL

        What a run found can be trained on elsewhere. We make a small round, export its solutions as
        conversations, and train its policy on them with TRL.
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
        for problem in word_problems(8, (1, 2), 5, "train")
    ]
    (folder / "problems.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def rstar(*words):
        """Run the command line in `folder` and return what it prints."""
        command = [sys.executable, "-m", "rstar_async.cli", *words]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return done.stdout

    search = "--search.rollouts 4 --search.candidates 4 --search.max_tokens 40"
    options = f"{search} --ppm.train false --workers.reward 0 --problems.heldout 0".split()
    rstar("run", "--model", "demo", "--problems", "problems.jsonl", "--name", "mine", *options)
    rstar("export", "runs/mine", "sft.jsonl", "--as", "messages")
    return (folder,)


@app.cell
def _(folder):
    (folder / "sft.jsonl").read_text().splitlines()[0]
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(
        """
        A published policy has a chat template that puts its own prompt around the question, so TRL
        makes of a conversation the token ids that rstar_async itself would train on. With
        `assistant_only_loss` the interpreter's output is outside of the loss here too.
        """
    )
    return


@app.cell
def _(folder):
    from datasets import load_dataset
    from trl import SFTConfig, SFTTrainer

    (policy,) = (folder / "runs" / "mine" / "models").glob("policy-r001-*")
    trainer = SFTTrainer(
        model=str(policy),
        train_dataset=load_dataset("json", data_files=str(folder / "sft.jsonl"), split="train"),
        args=SFTConfig(
            output_dir=str(folder / "trl"),
            max_steps=4,
            per_device_train_batch_size=4,
            learning_rate=1e-3,
            assistant_only_loss=True,
            use_cpu=True,
            bf16=False,
            logging_steps=1,
            report_to=[],
            disable_tqdm=True,
        ),
    )
    trainer.train()
    [round(line["loss"], 3) for line in trainer.state.log_history if "loss" in line]
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(
        """
        The losses of four steps. `--as preferences` writes pairs for TRL's `RewardTrainer` and
        `DPOTrainer`; [all formats](../evaluation.md#training-files).
        """
    )
    return


if __name__ == "__main__":
    app.run()
