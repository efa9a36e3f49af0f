"""Example queries, shown in `docs/schema.md`; they run on both databases."""

EXAMPLES: tuple[tuple[str, str], ...] = (
    (
        "How many problems has each round searched and solved?",
        """
SELECT run_id, round, count(DISTINCT problem_id) AS problems,
       count(DISTINCT CASE WHEN status IN ('finished', 'failed') THEN problem_id END) AS searched,
       count(DISTINCT CASE WHEN solved THEN problem_id END) AS solved
FROM searches
WHERE purpose = 'train'
GROUP BY run_id, round
ORDER BY run_id, round;
""",
    ),
    (
        "What did a round cost, and did the prefix cache serve what it could?",
        """
SELECT s.run_id, s.round, sum(e.new_tokens) AS new_tokens, sum(e.prompt_tokens) AS prompt_tokens,
       1.0 * sum(e.cached_tokens) / nullif(sum(e.reachable_tokens), 0) AS cached_share,
       sum(e.generate_seconds) AS generating, sum(e.execute_seconds) AS executing,
       sum(e.score_seconds) AS scoring
FROM expansions e JOIN searches s ON s.id = e.search_id
GROUP BY s.run_id, s.round
ORDER BY s.run_id, s.round;
""",
    ),
    (
        "Which problems were solved late, or never (NULL)?",
        """
SELECT p.run_id, p.question, p.level, min(CASE WHEN s.solved THEN s.round END) AS first_solved_in,
       count(*) AS searches
FROM problems p JOIN searches s ON s.problem_id = p.id AND s.purpose = 'train'
GROUP BY p.id, p.run_id, p.question, p.level
ORDER BY first_solved_in DESC NULLS FIRST, p.id
LIMIT 50;
""",
    ),
    (
        "Which right solutions does the tree trust most?",
        """
SELECT search_id, path, question, answer, depth, mean_q, min_q
FROM trajectories
WHERE correct
ORDER BY mean_q DESC, depth, search_id, path
LIMIT 20;
""",
    ),
    (
        "How did the largest tree grow?",
        """
SELECT expansion, path, status, visits, value_sum / nullif(visits, 0) AS q, score, exec_status, text
FROM nodes
WHERE search_id = (
    SELECT search_id FROM expansions GROUP BY search_id ORDER BY count(*) DESC, search_id LIMIT 1
)
ORDER BY expansion, length(path), path;
""",
    ),
    (
        "What share of the code ran, round by round?",
        """
SELECT run_id, round, exec_status, nodes,
       1.0 * nodes / sum(nodes) OVER (PARTITION BY run_id, round, purpose) AS share
FROM code_outcomes
WHERE purpose = 'train'
ORDER BY run_id, round, nodes DESC;
""",
    ),
    (
        "Which errors does the code make most?",
        """
SELECT exec_status, exec_error, count(*) AS nodes, count(DISTINCT search_id) AS searches
FROM nodes
WHERE exec_status NOT IN ('', 'ok')
GROUP BY exec_status, exec_error
ORDER BY nodes DESC, exec_error
LIMIT 20;
""",
    ),
    (
        "Which steps was the PPM taught to prefer?",
        """
SELECT run_id, round, split, weight, question, chosen_q, rejected_q, chosen_text, rejected_text
FROM preference_pairs
WHERE kind = 'step'
ORDER BY run_id, round, search_id, chosen_path, rejected_path
LIMIT 50;
""",
    ),
    (
        "What does each model come from?",
        """
WITH RECURSIVE lineage(id, ancestor, generation) AS (
    SELECT id, parent_id, 1 FROM model_versions
    UNION ALL
    SELECT l.id, m.parent_id, l.generation + 1
    FROM lineage l JOIN model_versions m ON m.id = l.ancestor
)
SELECT m.run_id, m.round, m.kind, m.status, l.id, l.generation, l.ancestor
FROM lineage l JOIN model_versions m ON m.id = l.id
ORDER BY m.run_id, m.round, m.kind, l.id, l.generation;
""",
    ),
    (
        "How did pass@1 change?",
        """
SELECT run_id, benchmark, method, round, pass_at_1, low, high, correct, problems, new_tokens,
       policy_id, ppm_id
FROM evaluations
ORDER BY run_id, benchmark, method, round;
""",
    ),
)
