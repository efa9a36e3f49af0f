"""The questions: plain functions `(connection, …)`, to be given to `Store.read` or `Database.read`.

What is asked for by id and does not exist is None; lists are empty and always in a fixed order.
"""

from storage.queries.attempts import Attempt, FoundAnswer, attempt, attempts_of
from storage.queries.models import (
    answers_of,
    evaluations_of,
    latest_published,
    lineage,
    model_version,
    model_versions_of,
    pairs_of,
)
from storage.queries.reports import (
    Progress,
    RoundReport,
    progress,
    round_report,
)
from storage.queries.round_details import (
    BINS,
    Costs,
    Histograms,
    ProblemOutcome,
    code_errors,
    costs,
    dead_ends,
    pair_counts,
    prior_histograms,
    problem_outcomes,
    q_histograms,
)
from storage.queries.rounds import (
    open_round,
    problem_by_id,
    problems_of,
    round_awaiting_training,
    round_by_number,
    rounds_of,
    run_by_id,
    runs,
)
from storage.queries.trajectories import Trajectory, trajectories_of
from storage.queries.trees import (
    children_of,
    expansions_of,
    node_by_path,
    nodes_of,
    search_by_id,
    searches_of,
    steps_to,
)
from storage.queries.viewer import (
    facets,
    problem_page,
    search_totals,
    searches_of_problem,
    token_totals,
)
from storage.queries.viewer_trees import (
    matching_paths,
    pair_page,
    ranked_answers,
    statistics_page,
    tree_page,
)

__all__ = [
    "BINS",
    "Attempt",
    "Costs",
    "FoundAnswer",
    "Histograms",
    "ProblemOutcome",
    "Progress",
    "RoundReport",
    "Trajectory",
    "answers_of",
    "attempt",
    "attempts_of",
    "children_of",
    "code_errors",
    "costs",
    "dead_ends",
    "evaluations_of",
    "expansions_of",
    "facets",
    "latest_published",
    "lineage",
    "matching_paths",
    "model_version",
    "model_versions_of",
    "node_by_path",
    "nodes_of",
    "open_round",
    "pair_counts",
    "pair_page",
    "pairs_of",
    "prior_histograms",
    "problem_by_id",
    "problem_outcomes",
    "problem_page",
    "problems_of",
    "progress",
    "q_histograms",
    "ranked_answers",
    "round_awaiting_training",
    "round_by_number",
    "round_report",
    "rounds_of",
    "run_by_id",
    "runs",
    "search_by_id",
    "search_totals",
    "searches_of",
    "searches_of_problem",
    "statistics_page",
    "steps_to",
    "token_totals",
    "trajectories_of",
    "tree_page",
]
