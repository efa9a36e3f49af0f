"""A searched round without a search: trees with right and wrong answers, stored as search does.

Every node on the path of the gold solution is expanded into the gold step and a wrong one; each
wrong step leads to a wrong answer. Wrong steps carry a mark, so that a PPM can tell them apart.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rstar_async.data.preferences import PairRules
from rstar_async.demo.problems import WordProblem, word_problems
from rstar_async.search.tree import Candidate, NodeStatus, Selection, Tree, TreeNode
from rstar_async.text import tags
from rstar_async.text.encoding import Encoder
from rstar_async.text.steps import StepKind, observation, parse_step
from rstar_async.trainer.dataset import StoredTree, labelled_tree
from rstar_async.trainer.packing import PackedTree, pack
from storage.database import Database
from storage.records import Node, Problem, Round, Run, Search, problem_id

MARK = "# perhaps\n"
STEP = re.compile(f".*?(?:{'|'.join(tags.STEP_ENDS)})", re.DOTALL)


@dataclass(frozen=True)
class SolvedTree:
    """A problem and its tree."""

    problem: WordProblem
    tree: Tree


def solved_trees(encoder: Encoder, count: int, seed: int = 1) -> list[SolvedTree]:
    problems = word_problems(count, (1, 2), seed, "train")
    return [SolvedTree(problem, build_tree(encoder, problem)) for problem in problems]


def build_tree(encoder: Encoder, problem: WordProblem) -> Tree:
    tree = Tree(Selection())
    node = tree.root
    for text in gold_steps(problem.solution):
        if text.endswith(tags.END_OF_ANSWER):
            tree.expand(node, [_answer(encoder, problem.answer, True)])
            break
        bad = text.replace("#", f"{MARK}#", 1)
        children = tree.expand(
            node,
            [_step(encoder, node, text, problem.answer), _step(encoder, node, bad, "-7")],
        )
        node = children[0]
        _finish_wrongly(encoder, tree, children[1])
    return tree


def gold_steps(solution: str) -> list[str]:
    without_output = re.sub(f"\n{tags.OUTPUT}.*?{tags.END_OF_OUTPUT}", "", solution, flags=re.S)
    return STEP.findall(without_output)


def _finish_wrongly(encoder: Encoder, tree: Tree, node: TreeNode) -> None:
    if node.candidate.step.kind is not StepKind.END_OF_CODE:
        end = _step(encoder, node, f"\n# Now print\nprint(-7)\n{tags.END_OF_CODE}", "-7")
        (node,) = tree.expand(node, [end])
    tree.expand(node, [_answer(encoder, "-7", False)])


def _step(encoder: Encoder, parent: TreeNode, text: str, output: str) -> Candidate:
    step = parse_step(text, after_output=parent.candidate.step.kind is StepKind.END_OF_CODE)
    ends = step.kind is StepKind.END_OF_CODE
    return Candidate(
        text=text,
        status=NodeStatus.LIVE,
        step=step,
        tokens=tuple(encoder.step(text)),
        observation_tokens=tuple(encoder.observation(output)) if ends else (),
        stdout=output if ends else "",
    )


def _answer(encoder: Encoder, answer: str, correct: bool) -> Candidate:
    text = f"\n{tags.ANSWER}\\boxed{{{answer}}}{tags.END_OF_ANSWER}"
    return Candidate(
        text=text,
        status=NodeStatus.ANSWER,
        step=parse_step(text, after_output=True),
        tokens=tuple(encoder.step(text)),
        value=1.0 if correct else -1.0,
        answer=answer,
        is_correct=correct,
    )


def packed_trees(encoder: Encoder, count: int) -> list[PackedTree]:
    """The trees of `solved_trees` as the PPM is trained on them."""
    packed: list[PackedTree] = []
    for number, solved in enumerate(solved_trees(encoder, count)):
        labelled = labelled_tree(stored_tree(number, solved), encoder, PairRules())
        packed += pack(labelled, 512, 4096)[0]
    return packed


def stored_tree(number: int, solved: SolvedTree) -> StoredTree:
    """The tree as it is read back from the database."""
    search = Search(f"s{number}", "run", 1, f"p{number}", "train", 1, "policy")
    nodes = {node.path: node for node in node_rows(search.id, solved.tree, "policy")}
    return StoredTree(search, solved.problem.question, nodes, "tagged")


def open_run(database: Database, run: str) -> None:
    database.commit(Run(run, {}, 1, "test"), Round(run, 0, "searched", ""))


def store_round(
    database: Database, run: str, number: int, trees: Sequence[SolvedTree], policy: str
) -> None:
    """All rows of a searched round."""
    database.commit(Round(run, number, "searched", policy))
    for solved in trees:
        question = solved.problem.question
        problem = Problem(problem_id(run, question), run, question, solved.problem.answer)
        search = Search(
            f"{run}-{number}-{problem.id}",
            run,
            number,
            problem.id,
            "train",
            1,
            policy,
            status="finished",
            solved=True,
        )
        database.commit(problem, search, *node_rows(search.id, solved.tree, policy))


def node_rows(search_id: str, tree: Tree, policy: str) -> Iterator[Node]:
    creation = {path: i for i, path in enumerate(tree.nodes)}
    for path, node in tree.nodes.items():
        candidate = node.candidate
        yield Node(
            search_id=search_id,
            path=path,
            expansion=creation[node.parent.path] + 1 if node.parent else 0,
            depth=node.depth,
            text=candidate.text,
            observation=observation(candidate.stdout) if candidate.observation_tokens else "",
            tokens=candidate.tokens,
            observation_tokens=candidate.observation_tokens,
            status=node.status.value,
            answer=candidate.answer,
            correct=candidate.is_correct,
            visits=node.visits,
            value_sum=node.value_sum,
            policy_id=policy,
            stdout=candidate.stdout,
        )
