"""What ended a search, and more than one cursor in it."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column(
        "searches",
        sa.Column(
            "ended",
            sa.Text(),
            nullable=False,
            server_default="",
            comment="by rollouts, exhausted, converged, or a bound",
        ),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("COMMENT ON COLUMN searches.cursor IS 'paths being expanded, blanks between'")
