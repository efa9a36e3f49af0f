"""Preference pairs as the PPM read them, and searches whose words were pruned.

The index of answers gains what the pages ask of answers, so that they need not touch the nodes.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

REAL: sa.types.TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")

# All that was written on the way to `path`, the root first.
_TEXT = """(
    WITH RECURSIVE up(parent, kept) AS (
        SELECT n.parent, n.text || n.observation
        FROM nodes n WHERE n.search_id = p.search_id AND n.path = {path}
        UNION ALL
        SELECT n.parent, n.text || n.observation || up.kept
        FROM up JOIN nodes n ON n.search_id = p.search_id AND n.path = up.parent
    )
    SELECT kept FROM up WHERE parent = ''
)"""
_Q = "CASE WHEN {0}.visits > 0 THEN {0}.value_sum / {0}.visits END"

PREFERENCE_PAIRS = f"""
CREATE VIEW preference_pairs AS
SELECT p.run_id, p.round, p.kind, p.split, p.weight, p.search_id, s.problem_id, q.question,
    p.chosen_path, p.rejected_path,
    {_Q.format("c")} AS chosen_q, {_Q.format("r")} AS rejected_q,
    {_TEXT.format(path="p.chosen_path")} AS chosen_text,
    {_TEXT.format(path="p.rejected_path")} AS rejected_text
FROM pairs p
JOIN searches s ON s.id = p.search_id
JOIN problems q ON q.id = s.problem_id
JOIN nodes c ON c.search_id = p.search_id AND c.path = p.chosen_path
JOIN nodes r ON r.search_id = p.search_id AND r.path = p.rejected_path
"""

COMMENTS = (
    "VIEW trajectories IS 'One row for each answer node: the path from the root to it.'",
    "VIEW code_outcomes IS 'How the code of each round ran.'",
    "VIEW preference_pairs IS 'Each preference in words, as the PPM read it.'",
    "COLUMN evaluations.correct IS 'samples answered right'",
)


def upgrade() -> None:
    op.add_column(
        "searches",
        sa.Column("pruned_at", REAL, nullable=True, comment="when its unused words were removed"),
    )
    op.drop_index("nodes_answers_index", "nodes")
    op.create_index(
        "nodes_answers_index",
        "nodes",
        ["search_id", "correct", "expansion"],
        sqlite_where=sa.text("status = 'answer'"),
        postgresql_where=sa.text("status = 'answer'"),
    )
    op.execute(PREFERENCE_PAIRS)
    if op.get_bind().dialect.name == "postgresql":
        for comment in COMMENTS:
            op.execute(f"COMMENT ON {comment}")
