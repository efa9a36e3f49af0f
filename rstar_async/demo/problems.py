"""A seeded source of graded word problems with worked solutions.

The level of a problem is its number of operations. The three splits are disjoint by construction:
the arithmetic of a problem, whatever its names, things and asides, belongs to one split only.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from random import Random
from typing import Literal

from rstar_async.demo.draft import Draft, question_text, solution_text, with_asides
from rstar_async.demo.kinds.ages import ages
from rstar_async.demo.kinds.divisors import divisors
from rstar_async.demo.kinds.equations import equations
from rstar_async.demo.kinds.rates import rates
from rstar_async.demo.kinds.story import story
from rstar_async.demo.words import Say, asides, garbled_wording, new_wording, plain_wording

Split = Literal["demonstration", "train", "heldout"]

KINDS: Mapping[str, Callable[[int, Say, Random], Draft | None]] = {
    "story": story,
    "ages": ages,
    "rates": rates,
    "divisors": divisors,
    "equations": equations,
}
# How often a kind is drawn; equations are rare because sympy makes their steps slow to execute.
WEIGHTS = {"story": 4, "ages": 3, "rates": 3, "divisors": 3, "equations": 1}
SHARES: Mapping[Split, range] = {
    "demonstration": range(0, 40),
    "train": range(40, 80),
    "heldout": range(80, 100),
}
MOST_SENTENCES = 7


@dataclass(frozen=True)
class WordProblem:
    """A question, its answer, and a gold solution in the trajectory format."""

    question: str
    answer: str
    kind: str
    level: int
    solution: str


def word_problems(
    count: int, levels: Sequence[int], seed: int, split: Split, *, garbled: bool = False
) -> list[WordProblem]:
    """`count` different problems, the levels taken in turn; equal arguments, equal problems.

    Demonstrations are in plain words or, if `garbled`, with some words replaced at random.
    """
    random = Random(f"{split} {seed}")
    say = partial(_wording(split, garbled), random)
    problems: dict[str, WordProblem] = {}
    while len(problems) < count:
        level = levels[len(problems) % len(levels)]
        draft = _draft(level, say, random)
        if draft is not None and draft.is_clear and split_of(draft) == split:
            problem = _finish(draft, level, random)
            problems.setdefault(problem.question, problem)
    return list(problems.values())


def split_of(draft: Draft) -> Split:
    """The one split to which this arithmetic belongs, decided by its hash."""
    digest = sha256(f"{draft.kind}: {draft.operations}".encode()).digest()
    place = int.from_bytes(digest[:8]) % 100
    return next(split for split, places in SHARES.items() if place in places)


def _wording(split: Split, garbled: bool) -> Callable[..., str]:
    if garbled:
        return garbled_wording
    return plain_wording if split == "demonstration" else new_wording


def _draft(level: int, say: Say, random: Random) -> Draft | None:
    kind = random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
    return KINDS[kind](level, say, random)


def _finish(draft: Draft, level: int, random: Random) -> WordProblem:
    said = " ".join(step.sentence for step in draft.steps)
    extra = asides(random.randint(0, max(0, MOST_SENTENCES - len(draft.steps))), said, random)
    story = with_asides(draft.steps, extra, random)
    question, solution = question_text(story, draft.ask), solution_text(draft, story)
    return WordProblem(question, str(draft.answer), draft.kind, level, solution)
