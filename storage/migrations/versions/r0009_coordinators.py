"""Several coordinators may share a run: who takes part, and who has claimed which problem."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

INTEGER: sa.types.TypeEngine[int] = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
REAL: sa.types.TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "coordinators",
        sa.Column(
            "number",
            INTEGER,
            sa.Identity(),
            nullable=False,
            comment="rises, and is never given again",
        ),
        sa.Column("run_id", sa.Text(), nullable=False, comment="the run it belongs to"),
        sa.Column("name", sa.Text(), nullable=False, comment="of the process"),
        sa.Column(
            "expires_at",
            REAL,
            nullable=False,
            comment="when others may remove it, by the database's clock",
        ),
        sa.PrimaryKeyConstraint("number", name="coordinators_pkey"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="coordinators_run_id_fkey"),
        comment="Coordinators that share a run now; empty where one has it to itself.",
        sqlite_strict=True,
        sqlite_autoincrement=True,
    )
    op.create_index("coordinators_run_id_index", "coordinators", ["run_id"])
    op.create_table(
        "claims",
        sa.Column("problem_id", sa.Text(), nullable=False, comment="the problem it is about"),
        sa.Column("coordinator", INTEGER, nullable=False, comment="which searches it now"),
        sa.PrimaryKeyConstraint("problem_id", name="claims_pkey"),
        sa.ForeignKeyConstraint(["problem_id"], ["problems.id"], name="claims_problem_id_fkey"),
        sa.ForeignKeyConstraint(
            ["coordinator"],
            ["coordinators.number"],
            name="claims_coordinator_fkey",
            ondelete="CASCADE",
        ),
        comment="Problems that one of several coordinators searches now.",
        sqlite_strict=True,
    )
    op.create_index("claims_coordinator_index", "claims", ["coordinator"])
