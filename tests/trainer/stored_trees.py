"""A searched round without a search: trees with right and wrong branches, stored as search would.

Every node on the gold way is expanded into the gold step and a wrong one; a wrong one is followed
to a wrong answer. Wrong steps carry a mark, so that a PPM has something to learn.
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
PIECE = re.compile(f".*?(?:{'|'.join(tags.STEP_ENDS)})", re.DOTALL)


@dataclass(frozen=True)
class Planted:
    """A problem and the tree that was grown over it."""

    problem: WordProblem
    tree: Tree


def plant(encoder: Encoder, count: int, seed: int = 1) -> list[Planted]:
    problems = word_problems(count, (1, 2), seed, "train")
    return [Planted(problem, grow(encoder, problem)) for problem in problems]


def grow(encoder: Encoder, problem: WordProblem) -> Tree:
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
    return PIECE.findall(without_output)


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
    """Planted trees as the PPM is trained on them."""
    trees: list[PackedTree] = []
    for number, planted in enumerate(plant(encoder, count)):
        trees += pack(labelled_tree(stored_tree(number, planted), encoder, PairRules()), 512, 4096)[
            0
        ]
    return trees


def stored_tree(number: int, planted: Planted) -> StoredTree:
    """The tree as the database would give it back."""
    search = Search(f"s{number}", "run", 1, f"p{number}", "train", 1, "policy")
    nodes = {node.path: node for node in node_rows(search.id, planted.tree, "policy")}
    return StoredTree(search, planted.problem.question, nodes, "tagged")


def open_run(database: Database, run: str) -> None:
    database.commit(Run(run, {}, 1, "test"), Round(run, 0, "searched", ""))


def store_round(
    database: Database, run: str, number: int, planted: Sequence[Planted], policy: str
) -> None:
    """All rows of a searched round."""
    database.commit(Round(run, number, "searched", policy))
    for place in planted:
        question = place.problem.question
        problem = Problem(problem_id(run, question), run, question, place.problem.answer)
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
        database.commit(problem, search, *node_rows(search.id, place.tree, policy))


def node_rows(search_id: str, tree: Tree, policy: str) -> Iterator[Node]:
    births = {path: i for i, path in enumerate(tree.nodes)}
    for path, node in tree.nodes.items():
        made = node.candidate
        yield Node(
            search_id=search_id,
            path=path,
            expansion=births[node.parent.path] + 1 if node.parent else 0,
            depth=node.depth,
            text=made.text,
            observation=observation(made.stdout) if made.observation_tokens else "",
            tokens=made.tokens,
            observation_tokens=made.observation_tokens,
            status=node.status.value,
            answer=made.answer,
            correct=made.is_correct,
            visits=node.visits,
            value_sum=node.value_sum,
            policy_id=policy,
            stdout=made.stdout,
        )
