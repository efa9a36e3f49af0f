"""From stored trees to training rows, as token ids.

A row has the ids that search used: the prompt from the same `Encoder`, then the stored ids of the
policy's steps and of the interpreter's output. Only trees of a few-shot policy are encoded again,
because there the tags were not single tokens.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from rstar_async.data.preferences import PairRules, preferences
from rstar_async.search.paths import path_from_root, with_ancestors
from rstar_async.search.persistence import ParseStep, tree_from_nodes
from rstar_async.search.tree import Selection, Tree
from rstar_async.text import tags
from rstar_async.text.encoding import Encoder, PromptStyle
from rstar_async.text.steps import parse_step
from rstar_async.trainer.packing import Label, LabelledTree, Target, steps_of
from storage.records import Node, Search

NOT_IN_LOSS = -100


@dataclass(frozen=True, slots=True)
class SFTRow:
    """One trajectory: ids, and labels with -100 for what the policy did not write (the prompt and
    the interpreter's output)."""

    input_ids: list[int]
    labels: list[int]

    @property
    def loss_tokens(self) -> int:
        return sum(label != NOT_IN_LOSS for label in self.labels)


@dataclass(frozen=True, slots=True)
class StepTokens:
    """One step as ids: what the policy wrote, and the observation after it."""

    tokens: Sequence[int]
    observation: Sequence[int] = ()

    @property
    def all_tokens(self) -> list[int]:
        return [*self.tokens, *self.observation]


@dataclass(frozen=True)
class StoredTree:
    """A finished search with its rows; `style` is the prompt style of the policy that searched,
    `source` the data set that the problem is from, `parse` the domain's parser of steps."""

    search: Search
    question: str
    nodes: Mapping[str, Node]
    style: PromptStyle
    source: str = ""
    parse: ParseStep = parse_step

    @cached_property
    def tree(self) -> Tree:
        return tree_from_nodes(self.nodes.values(), Selection(), self.parse)


def step_tokens(node: Node, style: PromptStyle, encoder: Encoder) -> StepTokens:
    """The ids of a stored step for the trained policy."""
    if style == "tagged":
        return StepTokens(node.tokens, node.observation_tokens)
    if not node.observation:
        return StepTokens(encoder.step(node.text))
    return StepTokens(encoder.step(node.text), encoder.observation(_inside(node.observation)))


def trajectory_row(stored: StoredTree, path: str, encoder: Encoder) -> SFTRow:
    """The row of the answer at `path`."""
    pieces = [step_tokens(stored.nodes[p], stored.style, encoder) for p in path_from_root(path)]
    return _row(encoder.prompt(stored.question), pieces)


def demonstration_row(question: str, solution: str, encoder: Encoder) -> SFTRow:
    """The row of a given solution in the trajectory format."""
    return _row(encoder.prompt(question), list(steps_of_solution(solution, encoder)))


def within(rows: Sequence[SFTRow], max_length: int) -> list[SFTRow]:
    """The rows of at most `max_length` ids; a truncated row would teach to stop in the middle."""
    return [row for row in rows if len(row.input_ids) <= max_length]


def labelled_tree(
    stored: StoredTree,
    encoder: Encoder,
    rules: PairRules,
    targets: Sequence[Target] = (),
) -> LabelledTree:
    """The tree with its `targets`, or with its pairs if there are none, and the ids they need."""
    pairs = [] if targets else preferences(stored.tree, rules)
    labels: list[Label] = [*pairs, *targets]
    labelled = {path for label in labels for path in steps_of(label)}
    steps = {
        path: step_tokens(stored.nodes[path], stored.style, encoder).all_tokens
        for path in with_ancestors(labelled)
    }
    prompt, bos = encoder.prompt(stored.question), len(encoder.bos_ids)
    search = stored.search
    return LabelledTree(search.problem_id, search.id, prompt, steps, pairs, targets, bos)


def _row(prompt: Sequence[int], pieces: Sequence[StepTokens]) -> SFTRow:
    input_ids, labels = list(prompt), [NOT_IN_LOSS] * len(prompt)
    for piece in pieces:
        input_ids += piece.all_tokens
        labels += [*piece.tokens, *[NOT_IN_LOSS] * len(piece.observation)]
    return SFTRow(input_ids, labels)


_STEP = re.compile(f".*?(?:{'|'.join(tags.STEP_ENDS)})", re.DOTALL)
_OBSERVATION = re.compile(f"\n?{tags.OUTPUT}.*?{tags.END_OF_OUTPUT}", re.DOTALL)


def steps_of_solution(solution: str, encoder: Encoder) -> Iterator[StepTokens]:
    """Split a solution as search would: after each end of a step, and around the output."""
    position = 0
    while match := _STEP.match(solution, position):
        position = match.end()
        output = _OBSERVATION.match(solution, position)
        if output is None:
            yield StepTokens(encoder.step(match[0]))
        else:
            position = output.end()
            yield StepTokens(encoder.step(match[0]), encoder.observation(_inside(output[0])))


def _inside(observation: str) -> str:
    """The interpreter's output without its tags."""
    return observation.lstrip("\n").removeprefix(tags.OUTPUT).removesuffix(tags.END_OF_OUTPUT)
