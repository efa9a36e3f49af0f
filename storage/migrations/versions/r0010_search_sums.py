"""What the trees of searches that are over add up to.

The table begins empty: `storage.sums` fills it for the searches that a store has already.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

TEXT = sa.Text()
INTEGER: sa.types.TypeEngine[int] = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
REAL: sa.types.TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")


def _column(name: str, kind: sa.types.TypeEngine[Any], comment: str) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, comment=comment)


def _maybe(name: str, kind: sa.types.TypeEngine[Any], comment: str) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=True, comment=comment)


def upgrade() -> None:
    op.create_table(
        "search_sums",
        _column("search_id", TEXT, "the tree it sums up"),
        _column("expansions", INTEGER, "added up; the row is out of date if the search has more"),
        _column("nodes", INTEGER, "without the root"),
        _column("right_answers", INTEGER, "answer nodes that are right"),
        _column("wrong_answers", INTEGER, "answer nodes that are wrong"),
        _maybe("first_right", INTEGER, "number of the expansion that made the first right answer"),
        _column("new_tokens", INTEGER, "generated"),
        _column("prompt_tokens", INTEGER, "of the prompts, counted once"),
        _column("cached_tokens", INTEGER, "of these served by the prefix cache"),
        _column("reachable_tokens", INTEGER, "of these seen before: what a perfect cache serves"),
        _column("generate_seconds", REAL, "waiting for the policy"),
        _column("execute_seconds", REAL, "waiting for the executor"),
        _column("score_seconds", REAL, "waiting for the PPM"),
        _column("cpu_seconds", REAL, "of its programs"),
        _column("shared_runs", INTEGER, "programs that took the result of an equivalent one"),
        _maybe("best_right", TEXT, "path of the right answer with the highest mean Q"),
        _maybe("best_right_q", REAL, "its mean Q"),
        _maybe("worst_right", TEXT, "path of the right answer with the lowest"),
        _maybe("worst_right_q", REAL, "its mean Q"),
        _maybe("best_wrong", TEXT, "path of the wrong answer with the highest"),
        _maybe("best_wrong_q", REAL, "its mean Q"),
        _maybe("worst_wrong", TEXT, "path of the wrong answer with the lowest"),
        _maybe("worst_wrong_q", REAL, "its mean Q"),
        _column(
            "counts", TEXT, "of nodes by outcome, code runs, errors, and Q and PPM value (JSON)"
        ),
        sa.PrimaryKeyConstraint("search_id", name="search_sums_pkey"),
        sa.ForeignKeyConstraint(
            ["search_id"], ["searches.id"], name="search_sums_search_id_fkey", ondelete="CASCADE"
        ),
        comment="What the tree of a search that is over adds up to; no page reads the tree again.",
        sqlite_strict=True,
    )
