"""Folders of models relative to that of the run, so that a moved run finds them.

Until now a path was the one under which the trainer wrote: absolute, or relative to where it ran.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    models = sa.table("model_versions", sa.column("id", sa.Text), sa.column("path", sa.Text))
    in_run = models.c.path.endswith("/models/" + models.c.id)
    op.execute(models.update().where(in_run).values(path="models/" + models.c.id))
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "COMMENT ON COLUMN model_versions.path IS 'its folder, relative to that of the run'"
        )
