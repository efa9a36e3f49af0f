"""Problems with gold solutions as token ids and labels, through the encoder the search uses.

The loss is over the policy's own tokens, not over the prompt and the interpreter's output.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rstar_async.demo.problems import WordProblem
from rstar_async.text import tags
from rstar_async.text.encoding import Encoder

IGNORED = -100  # the label cross-entropy leaves out


@dataclass(frozen=True)
class Example:
    """One training sequence; `labels` are the ids themselves or IGNORED."""

    ids: list[int]
    labels: list[int]


def example(problem: WordProblem, encoder: Encoder) -> Example:
    """The prompt, the steps, the output and the answer of a gold solution."""
    program, _, answer = problem.solution.partition(f"\n{tags.OUTPUT}")
    output, _, answer = answer.partition(tags.END_OF_OUTPUT)
    return joined(
        (encoder.prompt(problem.question), False),
        (encoder.step(program), True),
        (encoder.observation(output), False),
        (encoder.step(answer), True),
    )


def joined(*pieces: tuple[list[int], bool]) -> Example:
    """One example from pieces; the flag of each says whether the policy writes it."""
    ids = [token for tokens, _ in pieces for token in tokens]
    labels = [token if own else IGNORED for tokens, own in pieces for token in tokens]
    return Example(ids, labels)


def batches(examples: Sequence[Example], size: int, order: Sequence[int]) -> list[list[Example]]:
    """Batches of examples of similar length; `order` decides which are batched together."""
    made: list[list[Example]] = []
    for start in range(0, len(order), 16 * size):
        near = sorted(order[start : start + 16 * size], key=lambda i: len(examples[i].ids))
        made += [[examples[i] for i in near[n : n + size]] for n in range(0, len(near), size)]
    return made
