"""How long a round took, in a column of its own: clocks jump, so times make no durations.

Rounds that are closed get what their times say, as they were shown until now.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column(
        "rounds",
        sa.Column(
            "seconds",
            sa.Double().with_variant(sa.REAL(), "sqlite"),
            nullable=True,
            comment="it has taken, pauses left out; NULL if not measured",
        ),
    )
    op.execute("UPDATE rounds SET seconds = closed_at - started_at WHERE closed_at >= started_at")
