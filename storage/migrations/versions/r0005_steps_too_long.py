"""A step may be too long for the models' context: what the comment says of a node's status.

SQLite keeps no comments.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    op.alter_column(
        "nodes",
        "status",
        existing_type=sa.Text(),
        existing_nullable=False,
        comment="root, live, answer, code_error, too_deep, too_long, unfinished, malformed",
    )
