"""The tables, which `migrations` creates: a change here needs a migration, as a test checks."""

import sqlalchemy as sa

from storage import records
from storage.column_types import Choice, Flag, Integer, Json, Real, Tokens, UntrustedText
from storage.columns import column, key, maybe

metadata = sa.MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "ix": "%(table_name)s_%(column_0_N_name)s_index",
    }
)


def _run() -> sa.ForeignKey:
    return sa.ForeignKey("runs.id")


def _round() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["run_id", "round"], ["rounds.run_id", "rounds.number"])


def _tree() -> sa.ForeignKey:
    return sa.ForeignKey("searches.id", ondelete="CASCADE")


runs = sa.Table(
    "runs",
    metadata,
    key("id", sa.Text, "the name its user gave it"),
    column("recipe", Json, "all settings it was started with (JSON)"),
    column("seed", Integer, "from which all other seeds derive"),
    column("code_version", sa.Text, "of rstar_async"),
    column("created_at", Real, "seconds since 1970, UTC (as all `…_at`)"),
    comment="One self-evolution from a base model on.",
    sqlite_strict=True,
)

problems = sa.Table(
    "problems",
    metadata,
    key("id", sa.Text, "hash of run and question, 16 hex digits"),
    column("run_id", sa.Text, "the run it belongs to", _run()),
    column("question", UntrustedText, "as it is given to the model"),
    column("answer", UntrustedText, "the known final answer"),
    column("kind", UntrustedText, "topic"),
    column("level", UntrustedText, "difficulty as its source says"),
    column("source", UntrustedText, "data set or benchmark"),
    column("split", Choice(records.Split), "train, or heldout: never trained on"),
    sa.Index(None, "run_id", "split"),
    comment="Questions with known answers.",
    sqlite_strict=True,
)

rounds = sa.Table(
    "rounds",
    metadata,
    key("run_id", sa.Text, "the run it belongs to", _run()),
    key("number", Integer, "0 is the bootstrap"),
    column("status", Choice(records.RoundStatus), "searching, searched, trained, closed"),
    column("policy_id", sa.Text, "the policy that searches in it"),
    maybe("ppm_id", sa.Text, "the PPM that scores in it, if any"),
    column("settings", Json, "of this round (JSON)"),
    column("started_at", Real, "when it began"),
    maybe("searched_at", Real, "all searches done; the trainer waits for it"),
    maybe("trained_at", Real, "new model versions stored, in the same commit"),
    maybe("closed_at", Real, "evaluations done"),
    maybe("seconds", Real, "it has taken, pauses left out; NULL if not measured"),
    comment="Rounds of self-evolution.",
    sqlite_strict=True,
)

searches = sa.Table(
    "searches",
    metadata,
    key("id", sa.Text, "hash of what it is, or a name"),
    column("run_id", sa.Text, "the run it belongs to", _run()),
    column("round", Integer, "the round it belongs to"),
    column(
        "problem_id", sa.Text, "the problem it is about", sa.ForeignKey("problems.id"), index=True
    ),
    column("purpose", Choice(records.Purpose), "train or evaluation"),
    column("seed", Integer, "of its random choices"),
    column("policy_id", sa.Text, "model that wrote the steps"),
    maybe("ppm_id", sa.Text, "model that scored them, if any"),
    column("status", Choice(records.SearchStatus), "waiting, running, finished, failed"),
    column("rollouts", Integer, "completed"),
    column("expansions", Integer, "stored"),
    column("cursor", sa.Text, "paths being expanded, separated by blanks"),
    maybe("solved", Flag, "found the right answer; NULL while unknown"),
    column("answer", UntrustedText, "the answer chosen at the end"),
    maybe("started_at", Real, "when it began"),
    maybe("finished_at", Real, "when it ended"),
    column("seconds", Real, "of searching, pauses left out"),
    column("ended", sa.Text, "by rollouts, exhausted, converged, or a bound", server_default=""),
    maybe("pruned_at", Real, "when the texts that no training used were removed"),
    column(
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
    key("search_id", sa.Text, "the tree it belongs to", _tree()),
    key("number", Integer, "within the search, from 1"),
    column("path", sa.Text, "the node that was expanded"),
    column("seed", Integer, "given to the engine"),
    column("samples", Integer, "steps asked for"),
    column("unique_samples", Integer, "nodes made of them"),
    column("prompt_tokens", Integer, "of the prompt, counted once"),
    column("cached_tokens", Integer, "of these served by the prefix cache"),
    column("reachable_tokens", Integer, "of these seen before: what a perfect cache serves"),
    column("new_tokens", Integer, "generated"),
    column("generate_seconds", Real, "waiting for the policy"),
    column("execute_seconds", Real, "waiting for the executor"),
    column("score_seconds", Real, "waiting for the PPM"),
    column("score_prompt_tokens", Integer, "read by the PPM"),
    column("score_cached_tokens", Integer, "of these served by its cache"),
    column("created_at", Real, "when it was made"),
    sa.Index("expansions_totals_index", "search_id", "unique_samples", "new_tokens"),
    comment="Each time a node was asked for next steps.",
    sqlite_strict=True,
)

PARENT_OF = "rtrim(rtrim({path}, '0123456789'), '.')"

nodes = sa.Table(
    "nodes",
    metadata,
    key("search_id", sa.Text, "the tree it belongs to", _tree()),
    key("path", sa.Text, "'0' the root, '0.1' its first child, '0.1.3' …"),
    column("expansion", Integer, "number of the one that made it; 0 for the root"),
    column("depth", Integer, "0 for the root"),
    column("text", UntrustedText, "the step as the model wrote it"),
    column("observation", UntrustedText, "what the executor added behind it"),
    column("tokens", Tokens, "of text: int32, little-endian"),
    column("observation_tokens", Tokens, "of observation: int32, little-endian"),
    column(
        "status",
        Choice(records.NodeStatus),
        "root, live, answer, code_error, too_deep, too_long, unfinished, malformed",
    ),
    column("finish", sa.Text, "what ended the generation: stop, length, eos"),
    column("answer", UntrustedText, "the boxed answer, of answer nodes"),
    maybe("correct", Flag, "is it right; NULL if it is no answer or undecided"),
    column("multiplicity", Integer, "samples with this very text"),
    maybe("score", Real, "raw PPM output"),
    maybe("prior", Real, "the value that the tree made of it"),
    column("visits", Integer, "N"),
    column("value_sum", Real, "W; Q = W / N"),
    column("policy_id", sa.Text, "model that wrote the step"),
    maybe("ppm_id", sa.Text, "model that scored it"),
    column("seed", Integer, "of its random choices"),
    column("exec_status", sa.Text, "outcome of the code; '' if not executed"),
    column("exec_error", UntrustedText, "type and message"),
    column("stdout", UntrustedText, "what its code printed"),
    column("cpu_seconds", Real, "of its code"),
    column("peak_mib", Real, "memory"),
    column("reused_steps", Integer, "steps of its program that did not run again"),
    column("created_at", Real, "when it was made"),
    maybe(
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
    key("search_id", sa.Text, "the tree it sums up", _tree()),
    column("expansions", Integer, "added up; the row is out of date if the search has more"),
    column("nodes", Integer, "without the root"),
    column("right_answers", Integer, "answer nodes that are right"),
    column("wrong_answers", Integer, "answer nodes that are wrong"),
    maybe("first_right", Integer, "number of the expansion that made the first right answer"),
    column("new_tokens", Integer, "generated"),
    column("prompt_tokens", Integer, "of the prompts, counted once"),
    column("cached_tokens", Integer, "of these served by the prefix cache"),
    column("reachable_tokens", Integer, "of these seen before: what a perfect cache serves"),
    column("generate_seconds", Real, "waiting for the policy"),
    column("execute_seconds", Real, "waiting for the executor"),
    column("score_seconds", Real, "waiting for the PPM"),
    column("cpu_seconds", Real, "of its programs"),
    column("shared_runs", Integer, "programs that took the result of an equivalent one"),
    maybe("best_right", sa.Text, "path of the right answer with the highest mean Q"),
    maybe("best_right_q", Real, "its mean Q"),
    maybe("worst_right", sa.Text, "path of the right answer with the lowest"),
    maybe("worst_right_q", Real, "its mean Q"),
    maybe("best_wrong", sa.Text, "path of the wrong answer with the highest"),
    maybe("best_wrong_q", Real, "its mean Q"),
    maybe("worst_wrong", sa.Text, "path of the wrong answer with the lowest"),
    maybe("worst_wrong_q", Real, "its mean Q"),
    column("counts", Json, "of nodes by outcome, code runs, errors, and Q and PPM value (JSON)"),
    comment="What the tree of a search that is over adds up to; no page reads the tree again.",
    sqlite_strict=True,
)

model_versions = sa.Table(
    "model_versions",
    metadata,
    key("id", sa.Text, "hash of what it is, or a name"),
    column("run_id", sa.Text, "the run it belongs to", _run()),
    column("kind", Choice(records.ModelKind), "policy or ppm"),
    column("round", Integer, "whose data it was trained on"),
    maybe("parent_id", sa.Text, "the version its training started from"),
    column("path", sa.Text, "its folder, relative to that of the run"),
    column("status", Choice(records.ModelStatus), "published, refused, withdrawn or pruned"),
    column("reason", UntrustedText, "why it is not in use"),
    column("manifest", Json, "files and settings (JSON)"),
    column("metrics", Json, "of its training (JSON)"),
    column("created_at", Real, "when it was made"),
    _round(),
    sa.Index(None, "run_id", "kind", "round"),
    comment="Trained models and what they came from.",
    sqlite_strict=True,
)

pairs = sa.Table(
    "pairs",
    metadata,
    key("run_id", sa.Text, "the run it belongs to", _run()),
    key("round", Integer, "the round it belongs to"),
    key("search_id", sa.Text, "the tree it belongs to"),
    key("chosen_path", sa.Text, "the better node"),
    key("rejected_path", sa.Text, "the worse one"),
    key("kind", Choice(records.PairKind), "step (siblings) or trajectory (whole solutions)"),
    column("weight", Real, "in the loss"),
    column("split", Choice(records.Split), "train, or heldout: measures the PPM"),
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
    key("id", sa.Text, "hash of what it is, or a name"),
    column("run_id", sa.Text, "the run it belongs to", _run()),
    column("round", Integer, "the round it belongs to"),
    column("method", sa.Text, "greedy, majority, best PPM …"),
    column("benchmark", sa.Text, "source of its problems"),
    column("policy_id", sa.Text, "the policy it used"),
    maybe("ppm_id", sa.Text, "the PPM it used, if any"),
    column("problems", Integer, "asked"),
    column("samples", Integer, "for each problem"),
    column("correct", Integer, "samples answered right"),
    column("pass_at_1", Real, "mean share of right samples"),
    column("low", Real, "of the confidence interval of pass_at_1"),
    column("high", Real, "of the same"),
    column("new_tokens", Integer, "generated"),
    column("seconds", Real, "it took"),
    column("settings", Json, "(JSON)"),
    column("created_at", Real, "when it was made"),
    _round(),
    sa.Index(None, "run_id", "round"),
    comment="Rows of the results tables.",
    sqlite_strict=True,
)

evaluation_answers = sa.Table(
    "evaluation_answers",
    metadata,
    key(
        "evaluation_id",
        sa.Text,
        "the evaluation it belongs to",
        sa.ForeignKey("evaluations.id", ondelete="CASCADE"),
    ),
    key("problem_id", sa.Text, "the problem it is about", sa.ForeignKey("problems.id")),
    key("sample", Integer, "number of the sample"),
    column("answer", UntrustedText, "as extracted"),
    maybe("correct", Flag, "NULL if undecided"),
    column("text", UntrustedText, "the whole answer"),
    column("new_tokens", Integer, "generated"),
    column("seconds", Real, "it took"),
    maybe(
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
    key("number", Integer, "rises, and is never given again", sa.Identity()),
    column("run_id", sa.Text, "the run it belongs to", _run(), index=True),
    column("name", sa.Text, "of the process"),
    column("expires_at", Real, "when others may remove it, by the database's clock"),
    comment="Coordinators that share a run now; empty where one has it to itself.",
    sqlite_strict=True,
    sqlite_autoincrement=True,
)

claims = sa.Table(
    "claims",
    metadata,
    key("problem_id", sa.Text, "the problem it is about", sa.ForeignKey("problems.id")),
    column(
        "coordinator",
        Integer,
        "which searches it now",
        sa.ForeignKey("coordinators.number", ondelete="CASCADE"),
        index=True,
    ),
    comment="Problems that one of several coordinators searches now.",
    sqlite_strict=True,
)
