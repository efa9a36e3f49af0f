"""The tables, which `migrations` creates: a change here needs a migration, as a test checks."""

from typing import Any

import sqlalchemy as sa

from storage import records
from storage.column_types import Choice, Flag, Integer, Json, Real, Tokens, UntrustedText

metadata = sa.MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "ix": "%(table_name)s_%(column_0_N_name)s_index",
    }
)


def _column(name: str, kind: Any, comment: str, *extra: Any, **options: Any) -> sa.Column[Any]:
    options.setdefault("nullable", False)
    return sa.Column(name, kind, *extra, comment=comment, **options)


def _key(name: str, kind: Any, comment: str, *extra: Any) -> sa.Column[Any]:
    return _column(name, kind, comment, *extra, primary_key=True)


def _maybe(name: str, kind: Any, comment: str, *extra: Any) -> sa.Column[Any]:
    return _column(name, kind, comment, *extra, nullable=True)


def _run() -> sa.ForeignKey:
    return sa.ForeignKey("runs.id")


def _round() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["run_id", "round"], ["rounds.run_id", "rounds.number"])


def _tree() -> sa.ForeignKey:
    return sa.ForeignKey("searches.id", ondelete="CASCADE")


runs = sa.Table(
    "runs",
    metadata,
    _key("id", sa.Text, "the name its user gave it"),
    _column("recipe", Json, "all settings it was started with (JSON)"),
    _column("seed", Integer, "from which all other seeds derive"),
    _column("code_version", sa.Text, "of rstar_async"),
    _column("created_at", Real, "seconds since 1970, UTC (as all `…_at`)"),
    comment="One self-evolution from a base model on.",
    sqlite_strict=True,
)

problems = sa.Table(
    "problems",
    metadata,
    _key("id", sa.Text, "hash of run and question, 16 hex digits"),
    _column("run_id", sa.Text, "the run it belongs to", _run()),
    _column("question", UntrustedText, "as it is given to the model"),
    _column("answer", UntrustedText, "the known final answer"),
    _column("kind", UntrustedText, "topic"),
    _column("level", UntrustedText, "difficulty as its source says"),
    _column("source", UntrustedText, "data set or benchmark"),
    _column("split", Choice(records.Split), "train, or heldout: never trained on"),
    sa.Index(None, "run_id", "split"),
    comment="Questions with known answers.",
    sqlite_strict=True,
)

rounds = sa.Table(
    "rounds",
    metadata,
    _key("run_id", sa.Text, "the run it belongs to", _run()),
    _key("number", Integer, "0 is the bootstrap"),
    _column("status", Choice(records.RoundStatus), "searching, searched, trained, closed"),
    _column("policy_id", sa.Text, "the policy that searches in it"),
    _maybe("ppm_id", sa.Text, "the PPM that scores in it, if any"),
    _column("settings", Json, "of this round (JSON)"),
    _column("started_at", Real, "when it began"),
    _maybe("searched_at", Real, "all searches done; the trainer waits for it"),
    _maybe("trained_at", Real, "new model versions stored, in the same commit"),
    _maybe("closed_at", Real, "evaluations done"),
    _maybe("seconds", Real, "it has taken, pauses left out; NULL if not measured"),
    comment="Rounds of self-evolution.",
    sqlite_strict=True,
)

searches = sa.Table(
    "searches",
    metadata,
    _key("id", sa.Text, "hash of what it is, or a name"),
    _column("run_id", sa.Text, "the run it belongs to", _run()),
    _column("round", Integer, "the round it belongs to"),
    _column(
        "problem_id", sa.Text, "the problem it is about", sa.ForeignKey("problems.id"), index=True
    ),
    _column("purpose", Choice(records.Purpose), "train or evaluation"),
    _column("seed", Integer, "of its random choices"),
    _column("policy_id", sa.Text, "model that wrote the steps"),
    _maybe("ppm_id", sa.Text, "model that scored them, if any"),
    _column("status", Choice(records.SearchStatus), "waiting, running, finished, failed"),
    _column("rollouts", Integer, "completed"),
    _column("expansions", Integer, "stored"),
    _column("cursor", sa.Text, "paths being expanded, separated by blanks"),
    _maybe("solved", Flag, "found the right answer; NULL while unknown"),
    _column("answer", UntrustedText, "the answer chosen at the end"),
    _maybe("started_at", Real, "when it began"),
    _maybe("finished_at", Real, "when it ended"),
    _column("seconds", Real, "of searching, pauses left out"),
    _column("ended", sa.Text, "by rollouts, exhausted, converged, or a bound", server_default=""),
    _maybe("pruned_at", Real, "when the texts that no training used were removed"),
    _column(
        "failure", UntrustedText, "why it failed; '' unless its status is failed", server_default=""
    ),
    _round(),
    sa.Index(None, "run_id", "round", "purpose", "status"),
    comment="One tree over one problem.",
    sqlite_strict=True,
)

expansions = sa.Table(
    "expansions",
    metadata,
    _key("search_id", sa.Text, "the tree it belongs to", _tree()),
    _key("number", Integer, "within the search, from 1"),
    _column("path", sa.Text, "the node that was expanded"),
    _column("seed", Integer, "given to the engine"),
    _column("samples", Integer, "steps asked for"),
    _column("unique_samples", Integer, "nodes made of them"),
    _column("prompt_tokens", Integer, "of the prompt, counted once"),
    _column("cached_tokens", Integer, "of these served by the prefix cache"),
    _column("reachable_tokens", Integer, "of these seen before: what a perfect cache serves"),
    _column("new_tokens", Integer, "generated"),
    _column("generate_seconds", Real, "waiting for the policy"),
    _column("execute_seconds", Real, "waiting for the executor"),
    _column("score_seconds", Real, "waiting for the PPM"),
    _column("score_prompt_tokens", Integer, "read by the PPM"),
    _column("score_cached_tokens", Integer, "of these served by its cache"),
    _column("created_at", Real, "when it was made"),
    sa.Index("expansions_totals_index", "search_id", "unique_samples", "new_tokens"),
    comment="Each time a node was asked for next steps.",
    sqlite_strict=True,
)

PARENT_OF = "rtrim(rtrim({path}, '0123456789'), '.')"

nodes = sa.Table(
    "nodes",
    metadata,
    _key("search_id", sa.Text, "the tree it belongs to", _tree()),
    _key("path", sa.Text, "'0' the root, '0.1' its first child, '0.1.3' …"),
    _column("expansion", Integer, "number of the one that made it; 0 for the root"),
    _column("depth", Integer, "0 for the root"),
    _column("text", UntrustedText, "the step as the model wrote it"),
    _column("observation", UntrustedText, "what the executor added behind it"),
    _column("tokens", Tokens, "of text: int32, little-endian"),
    _column("observation_tokens", Tokens, "of observation: int32, little-endian"),
    _column(
        "status",
        Choice(records.NodeStatus),
        "root, live, answer, code_error, too_deep, too_long, unfinished, malformed",
    ),
    _column("finish", sa.Text, "what ended the generation: stop, length, eos"),
    _column("answer", UntrustedText, "the boxed answer, of answer nodes"),
    _maybe("correct", Flag, "is it right; NULL if it is no answer or undecided"),
    _column("multiplicity", Integer, "samples with this very text"),
    _maybe("score", Real, "raw PPM output"),
    _maybe("prior", Real, "the value that the tree made of it"),
    _column("visits", Integer, "N"),
    _column("value_sum", Real, "W; Q = W / N"),
    _column("policy_id", sa.Text, "model that wrote the step"),
    _maybe("ppm_id", sa.Text, "model that scored it"),
    _column("seed", Integer, "of its random choices"),
    _column("exec_status", sa.Text, "outcome of the code; '' if not executed"),
    _column("exec_error", UntrustedText, "type and message"),
    _column("stdout", UntrustedText, "what its code printed"),
    _column("cpu_seconds", Real, "of its code"),
    _column("peak_mib", Real, "memory"),
    _column("reused_steps", Integer, "steps of its program that did not run again"),
    _column("created_at", Real, "when it was made"),
    _maybe(
        "parent",
        sa.Text,
        "its path; '' of the root",
        sa.Computed(PARENT_OF.format(path="path"), persisted=True),
    ),
    sa.Index(
        "nodes_answers_index",
        "search_id",
        "correct",
        "expansion",
        sqlite_where=sa.text("status = 'answer'"),
        postgresql_where=sa.text("status = 'answer'"),
    ),
    comment="One step of one tree.",
    sqlite_strict=True,
)

search_sums = sa.Table(
    "search_sums",
    metadata,
    _key("search_id", sa.Text, "the tree it sums up", _tree()),
    _column("expansions", Integer, "added up; the row is out of date if the search has more"),
    _column("nodes", Integer, "without the root"),
    _column("right_answers", Integer, "answer nodes that are right"),
    _column("wrong_answers", Integer, "answer nodes that are wrong"),
    _maybe("first_right", Integer, "number of the expansion that made the first right answer"),
    _column("new_tokens", Integer, "generated"),
    _column("prompt_tokens", Integer, "of the prompts, counted once"),
    _column("cached_tokens", Integer, "of these served by the prefix cache"),
    _column("reachable_tokens", Integer, "of these seen before: what a perfect cache serves"),
    _column("generate_seconds", Real, "waiting for the policy"),
    _column("execute_seconds", Real, "waiting for the executor"),
    _column("score_seconds", Real, "waiting for the PPM"),
    _column("cpu_seconds", Real, "of its programs"),
    _column("shared_runs", Integer, "programs that took the result of an equivalent one"),
    _maybe("best_right", sa.Text, "path of the right answer with the highest mean Q"),
    _maybe("best_right_q", Real, "its mean Q"),
    _maybe("worst_right", sa.Text, "path of the right answer with the lowest"),
    _maybe("worst_right_q", Real, "its mean Q"),
    _maybe("best_wrong", sa.Text, "path of the wrong answer with the highest"),
    _maybe("best_wrong_q", Real, "its mean Q"),
    _maybe("worst_wrong", sa.Text, "path of the wrong answer with the lowest"),
    _maybe("worst_wrong_q", Real, "its mean Q"),
    _column("counts", Json, "of nodes by outcome, code runs, errors, and Q and PPM value (JSON)"),
    comment="What the tree of a search that is over adds up to; no page reads the tree again.",
    sqlite_strict=True,
)

model_versions = sa.Table(
    "model_versions",
    metadata,
    _key("id", sa.Text, "hash of what it is, or a name"),
    _column("run_id", sa.Text, "the run it belongs to", _run()),
    _column("kind", Choice(records.ModelKind), "policy or ppm"),
    _column("round", Integer, "whose data it was trained on"),
    _maybe("parent_id", sa.Text, "the version its training started from"),
    _column("path", sa.Text, "its folder, relative to that of the run"),
    _column("status", Choice(records.ModelStatus), "published, refused, withdrawn or pruned"),
    _column("reason", UntrustedText, "why it is not in use"),
    _column("manifest", Json, "files and settings (JSON)"),
    _column("metrics", Json, "of its training (JSON)"),
    _column("created_at", Real, "when it was made"),
    _round(),
    sa.Index(None, "run_id", "kind", "round"),
    comment="Trained models and what they came from.",
    sqlite_strict=True,
)

pairs = sa.Table(
    "pairs",
    metadata,
    _key("run_id", sa.Text, "the run it belongs to", _run()),
    _key("round", Integer, "the round it belongs to"),
    _key("search_id", sa.Text, "the tree it belongs to"),
    _key("chosen_path", sa.Text, "the better node"),
    _key("rejected_path", sa.Text, "the worse one"),
    _key("kind", Choice(records.PairKind), "step (siblings) or trajectory (whole solutions)"),
    _column("weight", Real, "in the loss"),
    _column("split", Choice(records.Split), "train, or heldout: measures the PPM"),
    _round(),
    *(
        sa.ForeignKeyConstraint(
            ["search_id", path], ["nodes.search_id", "nodes.path"], ondelete="CASCADE"
        )
        for path in ("chosen_path", "rejected_path")
    ),
    sa.Index(None, "search_id"),
    comment="Preferences that a round's PPM was trained or tested on.",
    sqlite_strict=True,
)

evaluations = sa.Table(
    "evaluations",
    metadata,
    _key("id", sa.Text, "hash of what it is, or a name"),
    _column("run_id", sa.Text, "the run it belongs to", _run()),
    _column("round", Integer, "the round it belongs to"),
    _column("method", sa.Text, "greedy, majority, best PPM …"),
    _column("benchmark", sa.Text, "source of its problems"),
    _column("policy_id", sa.Text, "the policy it used"),
    _maybe("ppm_id", sa.Text, "the PPM it used, if any"),
    _column("problems", Integer, "asked"),
    _column("samples", Integer, "for each problem"),
    _column("correct", Integer, "samples answered right"),
    _column("pass_at_1", Real, "mean share of right samples"),
    _column("low", Real, "of the confidence interval of pass_at_1"),
    _column("high", Real, "of the same"),
    _column("new_tokens", Integer, "generated"),
    _column("seconds", Real, "it took"),
    _column("settings", Json, "(JSON)"),
    _column("created_at", Real, "when it was made"),
    _round(),
    sa.Index(None, "run_id", "round"),
    comment="Rows of the results tables.",
    sqlite_strict=True,
)

evaluation_answers = sa.Table(
    "evaluation_answers",
    metadata,
    _key(
        "evaluation_id",
        sa.Text,
        "the evaluation it belongs to",
        sa.ForeignKey("evaluations.id", ondelete="CASCADE"),
    ),
    _key("problem_id", sa.Text, "the problem it is about", sa.ForeignKey("problems.id")),
    _key("sample", Integer, "number of the sample"),
    _column("answer", UntrustedText, "as extracted"),
    _maybe("correct", Flag, "NULL if undecided"),
    _column("text", UntrustedText, "the whole answer"),
    _column("new_tokens", Integer, "generated"),
    _column("seconds", Real, "it took"),
    _maybe(
        "search_id",
        sa.Text,
        "the tree it came from",
        sa.ForeignKey("searches.id", ondelete="SET NULL"),
    ),
    comment="Each sampled answer behind an evaluation.",
    sqlite_strict=True,
)

coordinators = sa.Table(
    "coordinators",
    metadata,
    _key("number", Integer, "rises, and is never given again", sa.Identity()),
    _column("run_id", sa.Text, "the run it belongs to", _run(), index=True),
    _column("name", sa.Text, "of the process"),
    _column("expires_at", Real, "when others may remove it, by the database's clock"),
    comment="Coordinators that share a run now; empty where one has it to itself.",
    sqlite_strict=True,
    sqlite_autoincrement=True,
)

claims = sa.Table(
    "claims",
    metadata,
    _key("problem_id", sa.Text, "the problem it is about", sa.ForeignKey("problems.id")),
    _column(
        "coordinator",
        Integer,
        "which searches it now",
        sa.ForeignKey("coordinators.number", ondelete="CASCADE"),
        index=True,
    ),
    comment="Problems that one of several coordinators searches now.",
    sqlite_strict=True,
)
