"""The views, for reading; `migrations` holds their SQL.

Kept out of `tables.metadata`, so that nothing tries to create them as tables.
"""

from typing import Any

import sqlalchemy as sa

from storage.column_types import Flag, Integer, Real, UntrustedText

metadata = sa.MetaData()


def _column(name: str, kind: Any, comment: str) -> sa.Column[Any]:
    return sa.Column(name, kind, comment=comment)


trajectories = sa.Table(
    "trajectories",
    metadata,
    _column("run_id", sa.Text, "the run it belongs to"),
    _column("round", Integer, "the round it belongs to"),
    _column("purpose", sa.Text, "train or evaluation"),
    _column("search_id", sa.Text, "the tree it belongs to"),
    _column("path", sa.Text, "of the answer node"),
    _column("problem_id", sa.Text, "the problem it solves"),
    _column("question", UntrustedText, "of the problem"),
    _column("answer", UntrustedText, "the boxed answer"),
    _column("correct", Flag, "NULL if undecided"),
    _column("depth", Integer, "steps"),
    _column("mean_q", Real, "mean of Q = W / N over its steps, the root left out"),
    _column("min_q", Real, "smallest Q of its steps"),
    _column("text", UntrustedText, "the whole solution, observations included"),
    comment="One row for each answer node: the path from the root to it.",
)

preference_pairs = sa.Table(
    "preference_pairs",
    metadata,
    _column("run_id", sa.Text, "the run it belongs to"),
    _column("round", Integer, "the round whose PPM read it"),
    _column("kind", sa.Text, "step (siblings) or trajectory (whole solutions)"),
    _column("split", sa.Text, "train, or heldout: measures the PPM"),
    _column("weight", Real, "in the loss"),
    _column("search_id", sa.Text, "the tree it belongs to"),
    _column("problem_id", sa.Text, "the problem it is about"),
    _column("question", UntrustedText, "of the problem: what both begin with"),
    _column("chosen_path", sa.Text, "the better node"),
    _column("rejected_path", sa.Text, "the worse one"),
    _column("chosen_q", Real, "Q of the better node; NULL without visits"),
    _column("rejected_q", Real, "Q of the worse one"),
    _column("chosen_text", UntrustedText, "all steps up to the better node, observations included"),
    _column("rejected_text", UntrustedText, "the same up to the worse one"),
    comment="Each preference in words, as the PPM read it.",
)

code_outcomes = sa.Table(
    "code_outcomes",
    metadata,
    _column("run_id", sa.Text, "the run it belongs to"),
    _column("round", Integer, "the round it belongs to"),
    _column("purpose", sa.Text, "train or evaluation"),
    _column("exec_status", sa.Text, "outcome of the code"),
    _column("nodes", Integer, "how many steps ended so"),
    comment="How the code of each round ran.",
)
