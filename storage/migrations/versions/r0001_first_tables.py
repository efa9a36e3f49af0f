"""The first tables and views.

Frozen: what follows changes them by a revision of its own.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

TEXT = sa.Text()
INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
REAL: sa.types.TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")
FLAG = sa.Boolean().with_variant(sa.Integer(), "sqlite")
BLOB = sa.LargeBinary()

# The nodes from the answer `a` up to the root, accumulated into `kept`.
_UP = """(
    WITH RECURSIVE up(parent, kept) AS (
        SELECT a.parent, {first}
        UNION ALL
        SELECT n.parent, {next}
        FROM up JOIN nodes n ON n.search_id = a.search_id AND n.path = up.parent
        WHERE {condition}
    )
    SELECT {result}
)"""
_Q = "CASE WHEN {0}.visits > 0 THEN {0}.value_sum / {0}.visits ELSE 0.0 END"


def _q(result: str) -> str:
    return _UP.format(
        first=_Q.format("a"), next=_Q.format("n"), condition="n.depth > 0", result=result
    )


_TEXT = _UP.format(
    first="a.text || a.observation",
    next="n.text || n.observation || up.kept",
    condition="true",
    result="kept FROM up WHERE parent = ''",
)

TRAJECTORIES = f"""
CREATE VIEW trajectories AS
SELECT s.run_id, s.round, s.purpose, a.search_id, a.path, s.problem_id, p.question, a.answer,
    a.correct, a.depth,
    {_q("avg(kept) FROM up")} AS mean_q,
    {_q("min(kept) FROM up")} AS min_q,
    {_TEXT} AS text
FROM nodes a
JOIN searches s ON s.id = a.search_id
JOIN problems p ON p.id = s.problem_id
WHERE a.status = 'answer'
"""

CODE_OUTCOMES = """
CREATE VIEW code_outcomes AS
SELECT s.run_id, s.round, s.purpose, n.exec_status, count(*) AS nodes
FROM nodes n
JOIN searches s ON s.id = n.search_id
WHERE n.exec_status <> ''
GROUP BY s.run_id, s.round, s.purpose, n.exec_status
"""


def upgrade() -> None:
    _create_runs()
    _create_trees()
    _create_models()
    op.execute(TRAJECTORIES)
    op.execute(CODE_OUTCOMES)


def _create_runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", TEXT, nullable=False, comment="the name its user gave it"),
        sa.Column(
            "recipe", TEXT, nullable=False, comment="all settings it was started with (JSON)"
        ),
        sa.Column("seed", INTEGER, nullable=False, comment="from which all other seeds derive"),
        sa.Column("code_version", TEXT, nullable=False, comment="of rstar_async"),
        sa.Column(
            "created_at", REAL, nullable=False, comment="seconds since 1970, UTC (as all `…_at`)"
        ),
        sa.PrimaryKeyConstraint("id", name="runs_pkey"),
        comment="One self-evolution from a base model on.",
        sqlite_strict=True,
    )
    op.create_table(
        "problems",
        sa.Column("id", TEXT, nullable=False, comment="hash of run and question, 16 hex digits"),
        sa.Column("run_id", TEXT, nullable=False, comment="the run it belongs to"),
        sa.Column("question", TEXT, nullable=False, comment="as it is given to the model"),
        sa.Column("answer", TEXT, nullable=False, comment="the known final answer"),
        sa.Column("kind", TEXT, nullable=False, comment="topic"),
        sa.Column("level", TEXT, nullable=False, comment="difficulty as its source says"),
        sa.Column("source", TEXT, nullable=False, comment="data set or benchmark"),
        sa.Column("split", TEXT, nullable=False, comment="train, or heldout: never trained on"),
        sa.PrimaryKeyConstraint("id", name="problems_pkey"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="problems_run_id_fkey"),
        comment="Questions with known answers.",
        sqlite_strict=True,
    )
    op.create_index("problems_run_id_split_index", "problems", ["run_id", "split"])
    op.create_table(
        "rounds",
        sa.Column("run_id", TEXT, nullable=False, comment="the run it belongs to"),
        sa.Column("number", INTEGER, nullable=False, comment="0 is the bootstrap"),
        sa.Column("status", TEXT, nullable=False, comment="searching, searched, trained, closed"),
        sa.Column("policy_id", TEXT, nullable=False, comment="the policy that searches in it"),
        sa.Column("ppm_id", TEXT, nullable=True, comment="the PPM that scores in it, if any"),
        sa.Column("settings", TEXT, nullable=False, comment="of this round (JSON)"),
        sa.Column("started_at", REAL, nullable=False, comment="when it began"),
        sa.Column(
            "searched_at",
            REAL,
            nullable=True,
            comment="all searches done; the trainer waits for it",
        ),
        sa.Column(
            "trained_at",
            REAL,
            nullable=True,
            comment="new model versions stored, in the same commit",
        ),
        sa.Column("closed_at", REAL, nullable=True, comment="evaluations done"),
        sa.PrimaryKeyConstraint("run_id", "number", name="rounds_pkey"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="rounds_run_id_fkey"),
        comment="Rounds of self-evolution.",
        sqlite_strict=True,
    )


def _create_trees() -> None:
    op.create_table(
        "searches",
        sa.Column("id", TEXT, nullable=False, comment="hash of what it is, or a name"),
        sa.Column("run_id", TEXT, nullable=False, comment="the run it belongs to"),
        sa.Column("round", INTEGER, nullable=False, comment="the round it belongs to"),
        sa.Column("problem_id", TEXT, nullable=False, comment="the problem it is about"),
        sa.Column("purpose", TEXT, nullable=False, comment="train or evaluation"),
        sa.Column("seed", INTEGER, nullable=False, comment="of its random choices"),
        sa.Column("policy_id", TEXT, nullable=False, comment="model that wrote the steps"),
        sa.Column("ppm_id", TEXT, nullable=True, comment="model that scored them, if any"),
        sa.Column("status", TEXT, nullable=False, comment="waiting, running, finished, failed"),
        sa.Column("rollouts", INTEGER, nullable=False, comment="completed"),
        sa.Column("expansions", INTEGER, nullable=False, comment="stored"),
        sa.Column(
            "cursor",
            TEXT,
            nullable=False,
            comment="path the current rollout stands at; '' between rollouts",
        ),
        sa.Column(
            "solved", FLAG, nullable=True, comment="found the right answer; NULL while unknown"
        ),
        sa.Column("answer", TEXT, nullable=False, comment="the answer chosen at the end"),
        sa.Column("started_at", REAL, nullable=True, comment="when it began"),
        sa.Column("finished_at", REAL, nullable=True, comment="when it ended"),
        sa.Column("seconds", REAL, nullable=False, comment="of searching, pauses left out"),
        sa.PrimaryKeyConstraint("id", name="searches_pkey"),
        sa.ForeignKeyConstraint(["problem_id"], ["problems.id"], name="searches_problem_id_fkey"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="searches_run_id_fkey"),
        sa.ForeignKeyConstraint(
            ["run_id", "round"],
            ["rounds.run_id", "rounds.number"],
            name="searches_run_id_round_fkey",
        ),
        comment="One tree over one problem.",
        sqlite_strict=True,
    )
    op.create_index("searches_problem_id_index", "searches", ["problem_id"])
    op.create_index(
        "searches_run_id_round_purpose_status_index",
        "searches",
        ["run_id", "round", "purpose", "status"],
    )
    op.create_table(
        "expansions",
        sa.Column("search_id", TEXT, nullable=False, comment="the tree it belongs to"),
        sa.Column("number", INTEGER, nullable=False, comment="within the search, from 1"),
        sa.Column("path", TEXT, nullable=False, comment="the node that was expanded"),
        sa.Column("seed", INTEGER, nullable=False, comment="given to the engine"),
        sa.Column("samples", INTEGER, nullable=False, comment="steps asked for"),
        sa.Column("unique_samples", INTEGER, nullable=False, comment="nodes made of them"),
        sa.Column("prompt_tokens", INTEGER, nullable=False, comment="of the prompt, counted once"),
        sa.Column(
            "cached_tokens", INTEGER, nullable=False, comment="of these served by the prefix cache"
        ),
        sa.Column(
            "reachable_tokens",
            INTEGER,
            nullable=False,
            comment="of these seen before: what a perfect cache serves",
        ),
        sa.Column("new_tokens", INTEGER, nullable=False, comment="generated"),
        sa.Column("generate_seconds", REAL, nullable=False, comment="waiting for the policy"),
        sa.Column("execute_seconds", REAL, nullable=False, comment="waiting for the executor"),
        sa.Column("score_seconds", REAL, nullable=False, comment="waiting for the PPM"),
        sa.Column("score_prompt_tokens", INTEGER, nullable=False, comment="read by the PPM"),
        sa.Column(
            "score_cached_tokens", INTEGER, nullable=False, comment="of these served by its cache"
        ),
        sa.Column("created_at", REAL, nullable=False, comment="when it was made"),
        sa.PrimaryKeyConstraint("search_id", "number", name="expansions_pkey"),
        sa.ForeignKeyConstraint(
            ["search_id"], ["searches.id"], name="expansions_search_id_fkey", ondelete="CASCADE"
        ),
        comment="Each time a node was asked for next steps.",
        sqlite_strict=True,
    )
    op.create_index(
        "expansions_totals_index", "expansions", ["search_id", "unique_samples", "new_tokens"]
    )
    op.create_table(
        "nodes",
        sa.Column("search_id", TEXT, nullable=False, comment="the tree it belongs to"),
        sa.Column(
            "path", TEXT, nullable=False, comment="'0' the root, '0.1' its first child, '0.1.3' …"
        ),
        sa.Column(
            "expansion",
            INTEGER,
            nullable=False,
            comment="number of the one that made it; 0 for the root",
        ),
        sa.Column("depth", INTEGER, nullable=False, comment="0 for the root"),
        sa.Column("text", TEXT, nullable=False, comment="the step as the model wrote it"),
        sa.Column("observation", TEXT, nullable=False, comment="what the executor added behind it"),
        sa.Column("tokens", BLOB, nullable=False, comment="of text: int32, little-endian"),
        sa.Column(
            "observation_tokens",
            BLOB,
            nullable=False,
            comment="of observation: int32, little-endian",
        ),
        sa.Column(
            "status",
            TEXT,
            nullable=False,
            comment="root, live, answer, code_error, too_deep, unfinished, malformed",
        ),
        sa.Column(
            "finish", TEXT, nullable=False, comment="what ended the generation: stop, length, eos"
        ),
        sa.Column("answer", TEXT, nullable=False, comment="the boxed answer, of answer nodes"),
        sa.Column(
            "correct",
            FLAG,
            nullable=True,
            comment="is it right; NULL if it is no answer or undecided",
        ),
        sa.Column("multiplicity", INTEGER, nullable=False, comment="samples with this very text"),
        sa.Column("score", REAL, nullable=True, comment="raw PPM output"),
        sa.Column("prior", REAL, nullable=True, comment="the value that the tree made of it"),
        sa.Column("visits", INTEGER, nullable=False, comment="N"),
        sa.Column("value_sum", REAL, nullable=False, comment="W; Q = W / N"),
        sa.Column("policy_id", TEXT, nullable=False, comment="model that wrote the step"),
        sa.Column("ppm_id", TEXT, nullable=True, comment="model that scored it"),
        sa.Column("seed", INTEGER, nullable=False, comment="of its random choices"),
        sa.Column(
            "exec_status", TEXT, nullable=False, comment="outcome of the code; '' if not executed"
        ),
        sa.Column("exec_error", TEXT, nullable=False, comment="type and message"),
        sa.Column("stdout", TEXT, nullable=False, comment="what its code printed"),
        sa.Column("cpu_seconds", REAL, nullable=False, comment="of its code"),
        sa.Column("peak_mib", REAL, nullable=False, comment="memory"),
        sa.Column(
            "reused_steps",
            INTEGER,
            nullable=False,
            comment="steps of its program that did not run again",
        ),
        sa.Column("created_at", REAL, nullable=False, comment="when it was made"),
        sa.Column(
            "parent",
            TEXT,
            sa.Computed("rtrim(rtrim(path, '0123456789'), '.')", persisted=True),
            nullable=True,
            comment="its path; '' of the root",
        ),
        sa.PrimaryKeyConstraint("search_id", "path", name="nodes_pkey"),
        sa.ForeignKeyConstraint(
            ["search_id"], ["searches.id"], name="nodes_search_id_fkey", ondelete="CASCADE"
        ),
        comment="One step of one tree.",
        sqlite_strict=True,
    )
    op.create_index(
        "nodes_answers_index",
        "nodes",
        ["search_id"],
        sqlite_where=sa.text("status = 'answer'"),
        postgresql_where=sa.text("status = 'answer'"),
    )


def _create_models() -> None:
    op.create_table(
        "model_versions",
        sa.Column("id", TEXT, nullable=False, comment="hash of what it is, or a name"),
        sa.Column("run_id", TEXT, nullable=False, comment="the run it belongs to"),
        sa.Column("kind", TEXT, nullable=False, comment="policy or ppm"),
        sa.Column("round", INTEGER, nullable=False, comment="whose data it was trained on"),
        sa.Column(
            "parent_id", TEXT, nullable=True, comment="the version its training started from"
        ),
        sa.Column("path", TEXT, nullable=False, comment="its folder"),
        sa.Column("status", TEXT, nullable=False, comment="published or refused"),
        sa.Column("reason", TEXT, nullable=False, comment="why it was refused"),
        sa.Column("manifest", TEXT, nullable=False, comment="files and settings (JSON)"),
        sa.Column("metrics", TEXT, nullable=False, comment="of its training (JSON)"),
        sa.Column("created_at", REAL, nullable=False, comment="when it was made"),
        sa.PrimaryKeyConstraint("id", name="model_versions_pkey"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="model_versions_run_id_fkey"),
        sa.ForeignKeyConstraint(
            ["run_id", "round"],
            ["rounds.run_id", "rounds.number"],
            name="model_versions_run_id_round_fkey",
        ),
        comment="Trained models and what they came from.",
        sqlite_strict=True,
    )
    op.create_index(
        "model_versions_run_id_kind_round_index", "model_versions", ["run_id", "kind", "round"]
    )
    op.create_table(
        "pairs",
        sa.Column("run_id", TEXT, nullable=False, comment="the run it belongs to"),
        sa.Column("round", INTEGER, nullable=False, comment="the round it belongs to"),
        sa.Column("search_id", TEXT, nullable=False, comment="the tree it belongs to"),
        sa.Column("chosen_path", TEXT, nullable=False, comment="the better node"),
        sa.Column("rejected_path", TEXT, nullable=False, comment="the worse one"),
        sa.Column(
            "kind", TEXT, nullable=False, comment="step (siblings) or trajectory (whole solutions)"
        ),
        sa.Column("weight", REAL, nullable=False, comment="in the loss"),
        sa.Column("split", TEXT, nullable=False, comment="train, or heldout: measures the PPM"),
        sa.PrimaryKeyConstraint(
            "run_id",
            "round",
            "search_id",
            "chosen_path",
            "rejected_path",
            "kind",
            name="pairs_pkey",
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="pairs_run_id_fkey"),
        sa.ForeignKeyConstraint(
            ["run_id", "round"], ["rounds.run_id", "rounds.number"], name="pairs_run_id_round_fkey"
        ),
        sa.ForeignKeyConstraint(
            ["search_id", "chosen_path"],
            ["nodes.search_id", "nodes.path"],
            name="pairs_search_id_chosen_path_fkey",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["search_id", "rejected_path"],
            ["nodes.search_id", "nodes.path"],
            name="pairs_search_id_rejected_path_fkey",
            ondelete="CASCADE",
        ),
        comment="Preferences that a round's PPM was trained or tested on.",
        sqlite_strict=True,
    )
    op.create_index("pairs_search_id_index", "pairs", ["search_id"])
    op.create_table(
        "evaluations",
        sa.Column("id", TEXT, nullable=False, comment="hash of what it is, or a name"),
        sa.Column("run_id", TEXT, nullable=False, comment="the run it belongs to"),
        sa.Column("round", INTEGER, nullable=False, comment="the round it belongs to"),
        sa.Column("method", TEXT, nullable=False, comment="greedy, majority, best PPM …"),
        sa.Column("benchmark", TEXT, nullable=False, comment="source of its problems"),
        sa.Column("policy_id", TEXT, nullable=False, comment="the policy it used"),
        sa.Column("ppm_id", TEXT, nullable=True, comment="the PPM it used, if any"),
        sa.Column("problems", INTEGER, nullable=False, comment="asked"),
        sa.Column("samples", INTEGER, nullable=False, comment="for each problem"),
        sa.Column("correct", INTEGER, nullable=False, comment="problems answered right"),
        sa.Column("pass_at_1", REAL, nullable=False, comment="mean share of right samples"),
        sa.Column("low", REAL, nullable=False, comment="of the confidence interval of pass_at_1"),
        sa.Column("high", REAL, nullable=False, comment="of the same"),
        sa.Column("new_tokens", INTEGER, nullable=False, comment="generated"),
        sa.Column("seconds", REAL, nullable=False, comment="it took"),
        sa.Column("settings", TEXT, nullable=False, comment="(JSON)"),
        sa.Column("created_at", REAL, nullable=False, comment="when it was made"),
        sa.PrimaryKeyConstraint("id", name="evaluations_pkey"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="evaluations_run_id_fkey"),
        sa.ForeignKeyConstraint(
            ["run_id", "round"],
            ["rounds.run_id", "rounds.number"],
            name="evaluations_run_id_round_fkey",
        ),
        comment="Rows of the results tables.",
        sqlite_strict=True,
    )
    op.create_index("evaluations_run_id_round_index", "evaluations", ["run_id", "round"])
    op.create_table(
        "evaluation_answers",
        sa.Column("evaluation_id", TEXT, nullable=False, comment="the evaluation it belongs to"),
        sa.Column("problem_id", TEXT, nullable=False, comment="the problem it is about"),
        sa.Column("sample", INTEGER, nullable=False, comment="number of the sample"),
        sa.Column("answer", TEXT, nullable=False, comment="as extracted"),
        sa.Column("correct", FLAG, nullable=True, comment="NULL if undecided"),
        sa.Column("text", TEXT, nullable=False, comment="the whole answer"),
        sa.Column("new_tokens", INTEGER, nullable=False, comment="generated"),
        sa.Column("seconds", REAL, nullable=False, comment="it took"),
        sa.Column("search_id", TEXT, nullable=True, comment="the tree it came from"),
        sa.PrimaryKeyConstraint(
            "evaluation_id", "problem_id", "sample", name="evaluation_answers_pkey"
        ),
        sa.ForeignKeyConstraint(
            ["evaluation_id"],
            ["evaluations.id"],
            name="evaluation_answers_evaluation_id_fkey",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["problem_id"], ["problems.id"], name="evaluation_answers_problem_id_fkey"
        ),
        sa.ForeignKeyConstraint(
            ["search_id"],
            ["searches.id"],
            name="evaluation_answers_search_id_fkey",
            ondelete="SET NULL",
        ),
        comment="Each sampled answer behind an evaluation.",
        sqlite_strict=True,
    )
