"""What is asked of every engine: sequences that share prefixes as those of a tree search do.

A few questions with as many candidates each share their prompts; then the first candidate of each
is continued with as many candidates again, and so on. Standard library only: other projects'
interpreters import it.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

TokenIds = list[int]


class Shape(NamedTuple):
    """`questions` prompts with `candidates` continuations each."""

    questions: int
    candidates: int

    @property
    def sequences(self) -> int:
        return self.questions * self.candidates


def shape_of(sequences: int) -> Shape:
    """So many sequences in about as many candidates as questions: 1 x 1, 2 x 4, 8 x 8."""
    if sequences < 1 or sequences.bit_count() > 1:
        raise ValueError(f"{sequences} sequences: give a power of two")
    candidates = 2 ** math.ceil(math.log2(sequences) / 2)
    return Shape(sequences // candidates, candidates)


def prompt_lengths(questions: int, mean: int) -> list[int]:
    """Lengths from three to five quarters of `mean`, in turn, so that no batch is even."""
    quarters = (4, 3, 5)
    return [max(1, mean * quarters[number % len(quarters)] // 4) for number in range(questions)]


def questions_needed(shapes: Sequence[Shape], repeats: int) -> int:
    """A warm-up, then two sets of fresh questions a repeat: no cache may have seen them."""
    return sum(shape.questions * (1 + 2 * repeats) for shape in shapes)


def longest(mean_prompt: int, new_tokens: int, levels: int) -> int:
    """Tokens of the longest sequence."""
    return max(prompt_lengths(3, mean_prompt)) + levels * new_tokens


def extended(
    prompts: Sequence[TokenIds], answers: Sequence[TokenIds], candidates: int
) -> list[TokenIds]:
    """Each prompt with its first candidate, the prompts of the next level."""
    firsts = answers[::candidates]
    return [[*prompt, *first] for prompt, first in zip(prompts, firsts, strict=True)]
