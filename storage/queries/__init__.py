"""All reads: functions `(connection, …)`, to be passed to `Store.read` or `Database.read`.

Something that does not exist is None or an empty list; lists are always in the same order.
"""

from sqlalchemy import Connection

from storage.queries.answer_pages import answer_page
from storage.queries.attempts import Attempt, FoundAnswer, attempt, attempts_of
from storage.queries.dashboard import (
    facets,
    problem_page,
    search_totals,
    searches_of_problem,
    token_totals,
)
from storage.queries.dashboard_trees import (
    matching_paths,
    pair_page,
    statistics_page,
    tree_page,
)
from storage.queries.models import (
    answers_of,
    evaluations_of,
    latest_published,
    lineage,
    model_version,
    model_versions_of,
    pairs_of,
    success_rates,
)
from storage.queries.ranking import answers_at, ranked_answers, ranking
from storage.queries.reports import (
    AnswerCounts,
    Progress,
    RoundReport,
    answer_counts,
    progress,
    round_report,
)
from storage.queries.round_details import (
    Costs,
    ProblemOutcome,
    SearchEndings,
    StepCounts,
    costs,
    pair_counts,
    problem_outcomes,
    search_endings,
    step_counts,
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
from storage.queries.timeline import last_searched_at, waiting_slices
from storage.queries.trajectories import Trajectory, trajectories_of
from storage.queries.trees import (
    Cost,
    children_of,
    cost_of,
    expansions_of,
    node_by_path,
    nodes_of,
    search_by_id,
    searches_of,
    searches_of_problems,
    steps_to,
)
from storage.sums.histograms import BINS, Histograms

__all__ = [
    "BINS",
    "AnswerCounts",
    "Attempt",
    "Connection",
    "Cost",
    "Costs",
    "FoundAnswer",
    "Histograms",
    "ProblemOutcome",
    "Progress",
    "RoundReport",
    "SearchEndings",
    "StepCounts",
    "Trajectory",
    "answer_counts",
    "answer_page",
    "answers_at",
    "answers_of",
    "attempt",
    "attempts_of",
    "children_of",
    "cost_of",
    "costs",
    "evaluations_of",
    "expansions_of",
    "facets",
    "last_searched_at",
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
    "problem_by_id",
    "problem_outcomes",
    "problem_page",
    "problems_of",
    "progress",
    "ranked_answers",
    "ranking",
    "round_awaiting_training",
    "round_by_number",
    "round_report",
    "rounds_of",
    "run_by_id",
    "runs",
    "search_by_id",
    "search_endings",
    "search_totals",
    "searches_of",
    "searches_of_problem",
    "searches_of_problems",
    "statistics_page",
    "step_counts",
    "steps_to",
    "success_rates",
    "token_totals",
    "trajectories_of",
    "tree_page",
    "waiting_slices",
]
