"""Turns the trees of a searched round into rows and pairs, problem by problem."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from rstar_async.config import History
from rstar_async.data.difficulty import accuracy
from rstar_async.data.preferences import PairRules, Preference
from rstar_async.data.trajectories import best_trajectories
from rstar_async.seeding import digest
from rstar_async.text.encoding import Encoder, PromptStyle
from rstar_async.trainer.answer_ordering import AnsweredTree, answered_tree
from rstar_async.trainer.context import TrainingContext
from rstar_async.trainer.dataset import SFTRow, StoredTree, labelled_tree, trajectory_row
from rstar_async.trainer.label_quality import TreeJudge, count_labels, count_processes
from rstar_async.trainer.objectives import targets_of
from rstar_async.trainer.packing import PackedTree, Target, pack
from storage import queries
from storage.records import Pair, Problem, Search, Split


@dataclass
class RoundDataset:
    """The training data of a round. Nothing is taken from `doubtful` problems: see `[filters]`."""

    problems: int = 0
    doubtful: int = 0
    solved: int = 0
    rows: list[SFTRow] = field(default_factory=list)
    trees: dict[Split, list[PackedTree]] = field(
        default_factory=lambda: {"train": [], "heldout": []}
    )
    pairs: list[Pair] = field(default_factory=list)
    answered: list[AnsweredTree] = field(default_factory=list)
    too_long_to_label: int = 0
    # Judged labels that are trained on, and judged right answers of the round; see `label_quality`.
    labels: Counter[str] = field(default_factory=Counter)
    processes: Counter[str] = field(default_factory=Counter)


def build_dataset(
    context: TrainingContext, number: int, encoder: Encoder, ppm_length: int
) -> RoundDataset:
    """The data of round `number`, or of all rounds so far, newest first: trajectories as
    `policy.history` says, pairs and targets as `ppm.history` says. `pairs`, which are stored, are
    of this round alone."""
    dataset, recipe = RoundDataset(), context.recipe
    for_policy = _rounds(recipe.policy.history, number)
    for_ppm = _rounds(recipe.ppm.history, number) if recipe.ppm.train else []
    for stored in stored_trees(context, max(for_policy, for_ppm, key=len)):
        solved = [tree for tree in stored if tree.search.round in for_policy]
        dataset.problems += bool(solved)
        if _is_doubtful(context, stored):
            dataset.doubtful += bool(solved)
            continue
        _add_trajectories(context, solved, encoder, dataset)
        for tree in stored:
            judge = TreeJudge(tree, context.domain)
            if tree.search.round == number:
                dataset.processes += count_processes(judge, tree)
            if tree.search.round in for_ppm:
                pairs = _add_labels(context, tree, judge, encoder, ppm_length, dataset)
                dataset.pairs += pairs if tree.search.round == number else []
    return dataset


def _rounds(history: History, number: int) -> list[int]:
    return list(range(number, 0, -1)) if history == "all" else [number]


def stored_trees(context: TrainingContext, rounds: list[int]) -> Iterator[list[StoredTree]]:
    """All finished trees over one problem, newest round first, problem by problem."""
    problems = {p.id: p for p in context.database.read(queries.problems_of, context.run, "train")}
    by_problem: dict[str, list[Search]] = defaultdict(list)
    for number in rounds:
        searches = context.database.read(
            queries.searches_of, context.run, number, "train", "finished"
        )
        for search in searches:
            by_problem[search.problem_id].append(search)
    styles: dict[str, PromptStyle] = {}
    for problem_id in sorted(by_problem):
        yield [_stored(context, s, problems[problem_id], styles) for s in by_problem[problem_id]]


def _is_doubtful(context: TrainingContext, stored: list[StoredTree]) -> bool:
    """Whether it is a synthetic problem too few of whose answers agree with its own."""
    filters = context.recipe.filters
    if stored[0].source not in filters.synthetic:
        return False
    return accuracy(tree.tree for tree in stored) < filters.min_accuracy


def _stored(
    context: TrainingContext, search: Search, problem: Problem, styles: dict[str, PromptStyle]
) -> StoredTree:
    if search.policy_id not in styles:
        styles[search.policy_id] = context.style_of(search.policy_id)
    nodes = context.database.read(queries.nodes_of, search.id)
    return StoredTree(
        search,
        problem.question,
        {n.path: n for n in nodes},
        styles[search.policy_id],
        problem.source,
        context.domain.parse_step,
    )


def _add_trajectories(
    context: TrainingContext, stored: list[StoredTree], encoder: Encoder, dataset: RoundDataset
) -> None:
    by_id = {tree.search.id: tree for tree in stored}
    trees = {search_id: tree.tree for search_id, tree in by_id.items()}
    policy = context.recipe.policy
    best = best_trajectories(
        trees,
        policy.trajectories_per_problem,
        pick=policy.pick,
        distinct=policy.distinct,
        drop_errors=policy.drop_errors,
    )
    dataset.solved += bool(best)
    if context.recipe.policy_skips_heldout and _is_heldout(context, stored):
        return
    dataset.rows += [trajectory_row(by_id[t.search_id], t.path, encoder) for t in best]


def _is_heldout(context: TrainingContext, stored: list[StoredTree]) -> bool:
    share = context.recipe.ppm.heldout_share
    return any(is_heldout(tree.search.problem_id, share) for tree in stored)


def _add_labels(
    context: TrainingContext,
    stored: StoredTree,
    judge: TreeJudge,
    encoder: Encoder,
    ppm_length: int,
    dataset: RoundDataset,
) -> list[Pair]:
    """Add the tree's pairs, or its targets for another objective; returns the pairs to store."""
    settings, search = context.recipe.ppm, stored.search
    split: Split = "heldout" if is_heldout(search.problem_id, settings.heldout_share) else "train"
    if split == "heldout" and (answered := answered_tree(stored, encoder)):
        dataset.answered.append(answered)
    targets: list[Target] = []
    if split == "train" and settings.objective != "preference":
        targets = targets_of(stored.tree, settings.objective)
        if not targets:
            return []
    rules = PairRules(
        min_margin=settings.min_margin,
        min_edit_distance=settings.min_edit_distance,
        errors_are_negative=settings.error_pairs,
        whole_trajectories=settings.trajectory_pairs,
    )
    tree = labelled_tree(stored, encoder, rules, targets)
    packed, kept = pack(tree, ppm_length, settings.max_tokens, settings.score_at)
    dataset.trees[split] += packed
    dataset.too_long_to_label += len(tree.pairs) + len(tree.targets) - len(kept)
    pairs = [label for label in kept if isinstance(label, Preference)]
    if split == "train":
        dataset.labels += count_labels(judge, pairs)
    return [
        Pair(context.run, search.round, search.id, p.chosen, p.rejected, p.kind, p.weight, split)
        for p in pairs
    ]


def is_heldout(problem_id: str, share: float) -> bool:
    """Whether a problem is held out. Split by problem, since pairs of one tree are correlated."""
    return int.from_bytes(digest(problem_id)) < share * 2**64
