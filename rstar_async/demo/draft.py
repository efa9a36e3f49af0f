"""What a kind of problem writes before anything is decided about splits: sentences and steps.

A draft's `operations` names its arithmetic without names or objects; two drafts with the same
operations are the same problem in other words, and always fall into the same split.
"""

from dataclasses import dataclass
from random import Random
from typing import NamedTuple


@dataclass(frozen=True)
class Step:
    """One reasoning step: the sentence it quotes and the Python lines it adds."""

    sentence: str
    lines: tuple[str, ...]


class Turn(NamedTuple):
    """One operation told: the sentence, its Python, and the value it leads to."""

    sentence: str
    code: str
    value: int


@dataclass(frozen=True)
class Draft:
    """A problem told as steps; the question is asked last and answered by printing `result`."""

    kind: str
    operations: str
    steps: tuple[Step, ...]
    ask: str
    result: str
    answer: int

    @property
    def is_clear(self) -> bool:
        """Whether no sentence is said twice, so that a quoted one names its place."""
        return len({step.sentence for step in self.steps}) == len(self.steps)


def with_asides(sentences: list[str], asides: list[str], random: Random) -> list[str]:
    """Spread sentences that do not matter anywhere after the first, keeping the order."""
    story = list(sentences)
    for aside in asides:
        story.insert(random.randint(1, len(story)), aside)
    return story


def solution_text(draft: Draft) -> str:
    """The draft's gold solution in the trajectory format of the product."""
    steps = [
        f"# {step.sentence}\n" + "\n".join(step.lines) + "\n<end_of_step>\n" for step in draft.steps
    ]
    last = f"# {draft.ask}\n# Now print the final answer\nprint({draft.result})\n<end_of_code>\n"
    output = f"<output>{draft.answer}<end_of_output>\n"
    answer = f"<answer>\\boxed{{{draft.answer}}}<end_of_answer>"
    return "<code>\n" + "".join(steps) + last + output + answer
