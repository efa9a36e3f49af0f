"""Invariants of every store, as queries that find the rows that break them.

Each returns lines that name the offender. They run on both databases, also by hand. They hold after
a kill at any time, because records that belong together are committed together.
"""

from typing import NamedTuple


class Rule(NamedTuple):
    """`sql` returns one text for each thing that breaks `statement`."""

    statement: str
    sql: str


_DOTS = "length(path) - length(replace(path, '.', ''))"

# What each node passed to its parent and what it got by itself (`rstar_async.search.tree`): an
# answer passes its whole value, a live node what it got from its children, a failed step nothing.
_BACKED_UP = """
WITH passed AS (
    SELECT search_id, parent AS path,
        sum(CASE status WHEN 'answer' THEN visits
            WHEN 'live' THEN visits - CASE WHEN prior IS NULL THEN 0 ELSE 1 END
            ELSE 0 END) AS visits,
        sum(CASE status WHEN 'answer' THEN value_sum
            WHEN 'live' THEN value_sum - coalesce(prior, 0.0)
            ELSE 0.0 END) AS value_sum
    FROM nodes WHERE depth > 0 GROUP BY search_id, parent
), kept AS (
    SELECT n.search_id, n.path, n.visits, n.value_sum,
        CASE WHEN n.prior IS NULL THEN 0 ELSE 1 END + coalesce(p.visits, 0) AS visits_due,
        coalesce(n.prior, 0.0) + coalesce(p.value_sum, 0.0) AS value_due
    FROM nodes n LEFT JOIN passed p ON p.search_id = n.search_id AND p.path = n.path
    WHERE n.status IN ('root', 'live')
)
"""

# Older versions counted what failed, and their figures do not tell how many problems they are over:
# of these, samples without a text and tables that have a failed search among their attempts.
_TELLS_MEASURED = '%"measured"%'

RULES: tuple[Rule, ...] = (
    Rule(
        "every node but the root has a parent",
        """
SELECT 'search ' || n.search_id || ' node ' || n.path
FROM nodes n LEFT JOIN nodes p ON p.search_id = n.search_id AND p.path = n.parent
WHERE n.path <> '0' AND p.path IS NULL
""",
    ),
    Rule(
        "a node's path, depth and status agree",
        f"""
SELECT 'search ' || search_id || ' node ' || path
FROM nodes
WHERE depth <> {_DOTS} OR (path = '0') <> (status = 'root')
    OR (path = '0') <> (expansion = 0)
""",
    ),
    Rule(
        "a search that has started has a root, a waiting one has no nodes",
        """
SELECT 'search ' || s.id
FROM searches s LEFT JOIN nodes n ON n.search_id = s.id AND n.path = '0'
WHERE (s.status IN ('running', 'finished') AND n.path IS NULL)
    OR (s.status = 'waiting' AND n.path IS NOT NULL)
""",
    ),
    Rule(
        "every expansion made as many nodes as it records, below the node it expanded",
        """
SELECT 'search ' || e.search_id || ' expansion ' || e.number
FROM expansions e LEFT JOIN (
    SELECT search_id, expansion, count(*) AS made, min(parent) AS least, max(parent) AS most
    FROM nodes WHERE depth > 0 GROUP BY search_id, expansion
) n ON n.search_id = e.search_id AND n.expansion = e.number
WHERE e.unique_samples <> coalesce(n.made, 0) OR n.least <> e.path OR n.most <> e.path
""",
    ),
    Rule(
        "every node was made by an expansion",
        """
SELECT 'search ' || n.search_id || ' node ' || n.path
FROM nodes n LEFT JOIN expansions e ON e.search_id = n.search_id AND e.number = n.expansion
WHERE n.depth > 0 AND e.number IS NULL
""",
    ),
    Rule(
        "the expansions of a search are numbered from 1 without a gap",
        """
SELECT 'search ' || s.id
FROM searches s LEFT JOIN (
    SELECT search_id, count(*) AS made, max(number) AS last FROM expansions GROUP BY search_id
) e ON e.search_id = s.id
WHERE s.expansions <> coalesce(e.made, 0) OR s.expansions <> coalesce(e.last, 0)
""",
    ),
    Rule(
        "visits and values add up: N and W are a node's own plus those its children passed up",
        _BACKED_UP
        + """
SELECT 'search ' || search_id || ' node ' || path || ': N ' || visits || ' for ' || visits_due
    || ', W ' || value_sum || ' for ' || value_due
FROM kept
WHERE visits <> visits_due OR abs(value_sum - value_due) > 1e-6 * (1 + visits)
    OR abs(value_sum) > visits + 1e-6
""",
    ),
    Rule(
        "a finished search has an outcome and no cursor",
        """
SELECT 'search ' || id
FROM searches
WHERE status = 'finished' AND (solved IS NULL OR finished_at IS NULL OR cursor <> '')
""",
    ),
    Rule(
        "a search is solved if and only if its tree has a right answer",
        """
SELECT 'search ' || id
FROM searches s
WHERE status = 'finished' AND solved <> EXISTS (
    SELECT 1 FROM nodes n WHERE n.search_id = s.id AND n.status = 'answer' AND n.correct
)
""",
    ),
    Rule(
        "a searched round has no unfinished training search, a closed one no unfinished search",
        """
SELECT 'round ' || r.run_id || ' ' || r.number || ': search ' || s.id || ' is ' || s.status
FROM rounds r JOIN searches s ON s.run_id = r.run_id AND s.round = r.number
WHERE s.status IN ('waiting', 'running')
    AND (r.status = 'closed' OR (r.status <> 'searching' AND s.purpose = 'train'))
""",
    ),
    Rule(
        "a round's times agree with its status",
        """
SELECT 'round ' || run_id || ' ' || number || ' is ' || status
FROM rounds
WHERE (status <> 'searching') <> (searched_at IS NOT NULL)
    OR (status IN ('trained', 'closed')) <> (trained_at IS NOT NULL)
    OR (status = 'closed') <> (closed_at IS NOT NULL)
""",
    ),
    Rule(
        "models that search or were trained from were published",
        """
SELECT used.who || ' uses ' || used.model
FROM (
    SELECT 'round ' || run_id || ' ' || number AS who, policy_id AS model FROM rounds
    UNION ALL SELECT 'round ' || run_id || ' ' || number, ppm_id FROM rounds
    UNION ALL SELECT DISTINCT 'round ' || run_id || ' ' || round, policy_id FROM searches
    UNION ALL SELECT DISTINCT 'round ' || run_id || ' ' || round, ppm_id FROM searches
    UNION ALL SELECT 'model ' || id, parent_id FROM model_versions
) used LEFT JOIN model_versions m ON m.id = used.model AND m.status <> 'refused'
WHERE used.model <> '' AND m.id IS NULL
""",
    ),
    Rule(
        "no training search is over a held-out problem",
        """
SELECT 'search ' || s.id || ' problem ' || p.id
FROM searches s JOIN problems p ON p.id = s.problem_id
WHERE s.purpose = 'train' AND p.split = 'heldout'
""",
    ),
    Rule(
        "a pair is of its round's own trees; a step pair is of siblings",
        """
SELECT 'search ' || p.search_id || ' pair ' || p.chosen_path || ' ' || p.rejected_path
FROM pairs p JOIN searches s ON s.id = p.search_id
JOIN nodes c ON c.search_id = p.search_id AND c.path = p.chosen_path
JOIN nodes r ON r.search_id = p.search_id AND r.path = p.rejected_path
WHERE s.run_id <> p.run_id OR s.round <> p.round OR s.purpose <> 'train'
    OR p.chosen_path = p.rejected_path OR (p.kind = 'step' AND c.parent <> r.parent)
""",
    ),
    Rule(
        "what is kept of a tree is what it adds up to",
        """
SELECT 'search ' || k.search_id
FROM search_sums k
JOIN searches s ON s.id = k.search_id AND s.expansions = k.expansions
JOIN (
    SELECT search_id, sum(CASE WHEN depth > 0 THEN 1 ELSE 0 END) AS nodes,
        sum(CASE WHEN status = 'answer' AND correct THEN 1 ELSE 0 END) AS right_answers,
        sum(CASE WHEN status = 'answer' AND NOT correct THEN 1 ELSE 0 END) AS wrong_answers
    FROM nodes GROUP BY search_id
) n ON n.search_id = k.search_id
WHERE s.status IN ('finished', 'failed') AND (k.nodes <> n.nodes
    OR k.right_answers <> n.right_answers OR k.wrong_answers <> n.wrong_answers)
""",
    ),
    Rule(
        "an evaluation's figures are possible",
        """
SELECT 'evaluation ' || id
FROM evaluations
WHERE correct > problems * samples OR pass_at_1 < low - 1e-9 OR pass_at_1 > high + 1e-9
    OR low < -1e-9 OR high > 1 + 1e-9
""",
    ),
    Rule(
        "no evaluation counts a search that failed as a wrong answer",
        f"""
SELECT DISTINCT 'evaluation ' || e.id || ' (' || e.method || ', round ' || e.round
    || ') counts problem ' || a.problem_id
FROM evaluations e JOIN evaluation_answers a ON a.evaluation_id = e.id
WHERE EXISTS (SELECT 1 FROM searches s WHERE s.id = a.search_id AND s.status = 'failed')
    OR (e.settings NOT LIKE '{_TELLS_MEASURED}' AND (
        (e.method = 'policy' AND a.answer = '' AND a.text = '')
        OR (e.method NOT IN ('policy', 'search') AND EXISTS (
            SELECT 1 FROM searches s WHERE s.problem_id = a.problem_id AND s.run_id = e.run_id
                AND s.round = e.round AND s.policy_id = e.policy_id
                AND s.purpose = 'evaluation' AND s.status = 'failed'
        ))
    ))
""",
    ),
)
