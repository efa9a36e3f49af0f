"""Trees as rows of the store, and back."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from rstar_async.search.expansion import ExpansionResult, StepResult
from rstar_async.search.models import ActiveModels
from rstar_async.search.paths import ROOT_PATH, parent_of
from rstar_async.search.tree import Candidate, NodeStatus, Selection, Tree, TreeNode
from rstar_async.text.steps import Step, StepKind, observation, parse_step
from storage.records import Expansion, Node, NodeStatistics


class ParseStep(Protocol):
    """Parses the text of a step: see `domains.base.Domain.parse_step`."""

    def __call__(self, text: str, *, after_output: bool) -> Step: ...


def root_row(search_id: str, tree: Tree, models: ActiveModels) -> Node:
    """The root, a step that no policy wrote."""
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
    search_id: str, number: int, node: TreeNode, expansion: ExpansionResult
) -> Expansion:
    """The cost of one expansion. Cached tokens always count as reachable: two questions may begin
    alike, so that the cache can serve more than the tree has computed."""
    scored = expansion.scored
    return Expansion(
        search_id=search_id,
        number=number,
        path=node.path,
        seed=expansion.seed,
        samples=expansion.samples,
        unique_samples=len(expansion.steps),
        prompt_tokens=expansion.generated.prompt_tokens,
        cached_tokens=expansion.generated.cached_tokens,
        reachable_tokens=max(expansion.reachable_tokens, expansion.generated.cached_tokens),
        new_tokens=expansion.new_tokens,
        generate_seconds=expansion.generated.seconds,
        execute_seconds=expansion.execute_seconds,
        score_seconds=expansion.score_seconds,
        score_prompt_tokens=scored.prompt_tokens if scored else 0,
        score_cached_tokens=scored.cached_tokens if scored else 0,
    )


def node_rows(
    search_id: str, number: int, children: Iterable[TreeNode], expansion: ExpansionResult
) -> Iterator[Node]:
    """The new children of expansion `number`."""
    for child, result in zip(children, expansion.steps, strict=True):
        yield _node_row(search_id, number, child, result, expansion)


def statistics_rows(search_id: str, node: TreeNode) -> list[NodeStatistics]:
    """Current statistics of a node and all its ancestors, to be stored after a back-up."""
    rows: list[NodeStatistics] = []
    current: TreeNode | None = node
    while current is not None:
        rows.append(NodeStatistics(search_id, current.path, current.visits, current.value_sum))
        current = current.parent
    return rows


def tree_from_nodes(
    nodes: Iterable[Node], selection: Selection, parse: ParseStep = parse_step
) -> Tree:
    """Rebuild the tree of one search from all its rows, in any order.

    Statistics are taken from the rows; nothing is backed up again. `parse` must be the one of the
    domain that the tree was searched in.
    """
    tree = Tree(selection)
    expanded: set[str] = set()
    for node in sorted(nodes, key=_creation_order):
        if node.path == ROOT_PATH:
            tree.root.visits, tree.root.value_sum = node.visits, node.value_sum
            continue
        parent = tree.nodes[parent_of(node.path)]
        candidate = _candidate(node, parent, parse)
        tree.restore(node.path, candidate, node.visits, node.value_sum)
        expanded.add(parent.path)
    tree.close_exhausted(sorted(expanded))
    return tree


def _node_row(
    search_id: str, number: int, child: TreeNode, result: StepResult, expansion: ExpansionResult
) -> Node:
    executed = result.executed
    ended_code = result.step.kind is StepKind.END_OF_CODE and result.observation_tokens
    return Node(
        search_id=search_id,
        path=child.path,
        expansion=number,
        depth=child.depth,
        text=result.sample.text,
        observation=observation(result.output) if ended_code else "",
        tokens=tuple(result.sample.tokens),
        observation_tokens=result.observation_tokens,
        status=result.status.value,
        finish=result.sample.finish,
        answer=result.answer,
        correct=result.correct,
        multiplicity=result.multiplicity,
        score=result.score,
        prior=result.prior,
        visits=child.visits,
        value_sum=child.value_sum,
        policy_id=expansion.generated.model,
        ppm_id=expansion.scored.model if expansion.scored else None,
        seed=expansion.seed,
        exec_status=executed.status if executed else result.failure,
        exec_error=_error(result),
        stdout=result.stdout,
        cpu_seconds=executed.cpu_seconds if executed else 0.0,
        peak_mib=executed.peak_mib if executed else 0.0,
        reused_steps=executed.reused_steps if executed else 0,
    )


def _error(result: StepResult) -> str:
    executed = result.executed
    if executed is None or not executed.error_type:
        return result.report
    return f"{executed.error_type}: {executed.error_message}"


def _candidate(node: Node, parent: TreeNode, parse: ParseStep) -> Candidate:
    after_output = parent.candidate.step.kind is StepKind.END_OF_CODE
    return Candidate(
        text=node.text,
        status=NodeStatus(node.status),
        step=parse(node.text, after_output=after_output),
        tokens=tuple(node.tokens),
        observation_tokens=tuple(node.observation_tokens),
        stdout=node.stdout,
        prior=node.prior,
        answer=node.answer,
        is_correct=node.correct,
    )


def _creation_order(node: Node) -> tuple[int, int]:
    """Parents before children, siblings by number ("0.10" comes after "0.2")."""
    return node.expansion, int(node.path.rpartition(".")[2])
