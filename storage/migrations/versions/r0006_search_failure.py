"""Why a search failed, in a column of its own; until now it stood in `answer`."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

COMMENTS = {
    "cursor": "paths being expanded, separated by blanks",
    "pruned_at": "when the texts that no training used were removed",
}


def upgrade() -> None:
    op.add_column(
        "searches",
        sa.Column(
            "failure",
            sa.Text(),
            nullable=False,
            server_default="",
            comment="why it failed; '' unless its status is failed",
        ),
    )
    op.execute("UPDATE searches SET failure = answer, answer = '' WHERE status = 'failed'")
    if op.get_bind().dialect.name == "postgresql":
        for column, comment in COMMENTS.items():
            op.execute(f"COMMENT ON COLUMN searches.{column} IS '{comment}'")
