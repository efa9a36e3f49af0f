"""A model version may be withdrawn or pruned: what the comments say of its standing.

SQLite keeps no comments.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    for column, comment in (
        ("status", "published, refused, withdrawn or pruned"),
        ("reason", "why it is not in use"),
    ):
        op.alter_column(
            "model_versions",
            column,
            existing_type=sa.Text(),
            existing_nullable=False,
            comment=comment,
        )
