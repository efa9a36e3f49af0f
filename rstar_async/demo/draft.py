"""Drafts of problems: sentences and steps, before asides and splits.

A draft's `operations` are its arithmetic without names or objects. Two drafts with the same
operations are the same problem in other words, and are always in the same split.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import NamedTuple


@dataclass(frozen=True)
class Step:
    """One reasoning step: the sentence it quotes and the Python lines it adds."""

    sentence: str
    lines: tuple[str, ...]


class Turn(NamedTuple):
    """One operation: its sentence, its Python, and the value it leads to."""

    sentence: str
    code: str
    value: int


@dataclass(frozen=True)
class Draft:
    """A problem as steps; `ask` is its question, answered by printing `result`."""

    kind: str
    operations: str
    steps: tuple[Step, ...]
    ask: str
    result: str
    answer: int

    @property
    def is_clear(self) -> bool:
        """Whether no sentence occurs twice, so that a quotation is unambiguous."""
        return len({step.sentence for step in self.steps}) == len(self.steps)


def with_asides(steps: Sequence[Step], asides: Sequence[str], random: Random) -> list[Step]:
    """Insert sentences without arithmetic anywhere after the first, keeping the order."""
    story = list(steps)
    for aside in asides:
        story.insert(random.randint(1, len(story)), Step(aside, ()))
    return story


def question_text(story: Sequence[Step], ask: str) -> str:
    """The numbered sentences and the question.

    The numbers make long problems learnable from short ones: each step quotes the sentence with the
    next number, however long the story is.
    """
    return " ".join(numbered([*(step.sentence for step in story), ask]))


def solution_text(draft: Draft, story: Sequence[Step]) -> str:
    """The gold solution in the trajectory format of the product: a step for every sentence."""
    *sentences, ask = numbered([*(step.sentence for step in story), draft.ask])
    steps = [
        "\n".join((f"# {sentence}", *step.lines, "<end_of_step>\n"))
        for sentence, step in zip(sentences, story, strict=True)
    ]
    last = f"# {ask}\n# Now print the final answer\nprint({draft.result})\n<end_of_code>\n"
    output = f"<output>{draft.answer}<end_of_output>\n"
    answer = f"<answer>\\boxed{{{draft.answer}}}<end_of_answer>"
    return "<code>\n" + "".join(steps) + last + output + answer


def numbered(sentences: Sequence[str]) -> list[str]:
    """The sentences with their numbers, from 1."""
    return [f"{number}) {sentence}" for number, sentence in enumerate(sentences, start=1)]
