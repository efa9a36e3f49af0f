"""Outcomes as records for the store."""

from collections.abc import Iterable, Iterator

from rstar_async.search.expansion import ExpansionResult, StepResult
from rstar_async.search.models import ActiveModels
from rstar_async.search.paths import ROOT_PATH
from rstar_async.search.tree import Candidate, NodeStatus, Selection, Tree, TreeNode
from rstar_async.text.steps import ROOT_STEP, Step, StepKind, observation, parse_step
from storage.records import Expansion, Node, NodeStatistics


def root_row(search_id: str, tree: Tree, models: ActiveModels) -> Node:
    """The root, which no policy wrote."""
    return Node(
        search_id=search_id,
        path=ROOT_PATH,
        expansion=0,
        depth=0,
        text="",
        observation="",
        tokens=(),
        observation_tokens=(),
        status="root",
        visits=tree.root.visits,
        value_sum=tree.root.value_sum,
        policy_id=models.policy,
        ppm_id=models.ppm,
    )


def expansion_row(
    search_id: str, number: int, node: TreeNode, expanded: ExpansionResult
) -> Expansion:
    """What one expansion cost. Whatever the cache served was reachable, such as a beginning that
    two questions happen to share."""
    scored = expanded.scored
    return Expansion(
        search_id=search_id,
        number=number,
        path=node.path,
        seed=expanded.seed,
        samples=expanded.samples,
        unique_samples=len(expanded.outcomes),
        prompt_tokens=expanded.generated.prompt_tokens,
        cached_tokens=expanded.generated.cached_tokens,
        reachable_tokens=max(expanded.reachable_tokens, expanded.generated.cached_tokens),
        new_tokens=expanded.new_tokens,
        generate_seconds=expanded.generated.seconds,
        execute_seconds=expanded.execute_seconds,
        score_seconds=expanded.score_seconds,
        score_prompt_tokens=scored.prompt_tokens if scored else 0,
        score_cached_tokens=scored.cached_tokens if scored else 0,
    )


def node_rows(
    search_id: str, number: int, children: Iterable[TreeNode], expanded: ExpansionResult
) -> Iterator[Node]:
    """The new children with everything known about them."""
    for child, outcome in zip(children, expanded.outcomes, strict=True):
        yield _node_row(search_id, number, child, outcome, expanded)


def statistics_rows(search_id: str, node: TreeNode) -> list[NodeStatistics]:
    """Current statistics of a node and its ancestors, for after a back-up."""
    rows: list[NodeStatistics] = []
    current: TreeNode | None = node
    while current is not None:
        rows.append(NodeStatistics(search_id, current.path, current.visits, current.value_sum))
        current = current.parent
    return rows


def _node_row(
    search_id: str, number: int, child: TreeNode, outcome: StepResult, expanded: ExpansionResult
) -> Node:
    executed = outcome.executed
    ended_code = outcome.step.kind is StepKind.END_OF_CODE and outcome.observation_tokens
    return Node(
        search_id=search_id,
        path=child.path,
        expansion=number,
        depth=child.depth,
        text=outcome.sample.text,
        observation=observation(outcome.output) if ended_code else "",
        tokens=tuple(outcome.sample.tokens),
        observation_tokens=outcome.observation_tokens,
        status=outcome.status.value,
        finish=outcome.sample.finish,
        answer=outcome.answer or "",
        correct=outcome.correct,
        multiplicity=outcome.multiplicity,
        score=outcome.score,
        prior=outcome.prior,
        visits=child.visits,
        value_sum=child.value_sum,
        policy_id=expanded.generated.model,
        ppm_id=expanded.scored.model if expanded.scored else None,
        seed=expanded.seed,
        exec_status=executed.status if executed else outcome.failure,
        exec_error=_error(outcome),
        stdout=outcome.stdout,
        cpu_seconds=executed.cpu_seconds if executed else 0.0,
        peak_mib=executed.peak_mib if executed else 0.0,
        reused_steps=executed.reused_steps if executed else 0,
    )


def _error(outcome: StepResult) -> str:
    executed = outcome.executed
    if executed is None or not executed.error_type:
        return ""
    return f"{executed.error_type}: {executed.error_message}"


def tree_from_nodes(nodes: Iterable[Node], selection: Selection) -> Tree:
    """Rebuild the tree of one search from all its rows, in any order.

    Statistics are taken from the rows, nothing is backed up again.
    """
    tree = Tree(selection)
    expanded: set[str] = set()
    for node in sorted(nodes, key=_birth):
        if node.path == ROOT_PATH:
            tree.root.visits, tree.root.value_sum = node.visits, node.value_sum
            continue
        tree.restore(node.path, candidate_of(node, tree), node.visits, node.value_sum)
        expanded.add(node.path.rpartition(".")[0])
    tree.close_exhausted(sorted(expanded))
    return tree


def candidate_of(node: Node, tree: Tree) -> Candidate:
    """The candidate that a stored node was made from."""
    parent = tree.nodes[node.path.rpartition(".")[0]]
    return Candidate(
        text=node.text,
        status=NodeStatus(node.status),
        step=_step_of(node, parent.candidate.step),
        tokens=tuple(node.tokens),
        observation_tokens=tuple(node.observation_tokens),
        stdout=node.stdout,
        prior=node.prior,
        answer=node.answer,
        is_correct=node.correct,
    )


def _step_of(node: Node, parent: Step) -> Step:
    if node.path == ROOT_PATH:
        return ROOT_STEP
    return parse_step(node.text, after_output=parent.kind is StepKind.END_OF_CODE)


def _birth(node: Node) -> tuple[int, int]:
    """Parents before children, siblings by number ("0.10" comes after "0.2")."""
    return node.expansion, int(node.path.rpartition(".")[2])
