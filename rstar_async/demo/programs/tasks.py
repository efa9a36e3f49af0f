"""A seeded source of graded programming tasks with tests and worked solutions.

The level of a task is its number of operations. The three splits are disjoint by construction:
operations in their order, with their numbers and letters, belong to one split only, whatever the
words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from rstar_async.demo.draft import numbered
from rstar_async.demo.problems import MOST_SENTENCES, Split
from rstar_async.demo.programs.cases import Case
from rstar_async.demo.programs.drafts import Draft, draft_of
from rstar_async.demo.programs.operation import Applied
from rstar_async.demo.programs.solution import solution_text
from rstar_async.demo.programs.wording import (
    Say,
    asides,
    garbled_wording,
    new_wording,
    plain_wording,
)

FIRST = {
    "numbers": "Take a list of numbers.",
    "words": "Take a list of words.",
    "text": "Take a text.",
}
LAST = "Return the result."


@dataclass(frozen=True)
class ProgramTask:
    """A description with an example, hidden tests, and a gold solution in the trajectory format."""

    question: str
    example: Case
    tests: tuple[Case, ...]
    kind: str
    level: int
    solution: str


def program_tasks(
    count: int, levels: Sequence[int], seed: int, split: Split, *, garbled: bool = False
) -> list[ProgramTask]:
    """`count` different tasks, the levels taken in turn; equal arguments, equal tasks.

    Demonstrations are in plain words or, if `garbled`, with some words replaced at random.
    """
    random = Random(f"programs {split} {seed}")
    say = _wording(split, garbled)
    tasks: dict[str, ProgramTask] = {}
    while len(tasks) < count:
        level = levels[len(tasks) % len(levels)]
        draft = draft_of(level, split, say, random)
        if draft is not None:
            task = _finish(draft, random)
            tasks.setdefault(task.question, task)
    return list(tasks.values())


def _wording(split: Split, garbled: bool) -> Say:
    if garbled:
        return garbled_wording
    return plain_wording if split == "demonstration" else new_wording


def _finish(draft: Draft, random: Random) -> ProgramTask:
    """The task as text, with asides between its sentences."""
    most = max(0, MOST_SENTENCES - 1 - len(draft.operations))
    story: list[Applied | str] = list(draft.operations)
    for aside in asides(random.randint(0, most), random):
        story.insert(random.randint(0, len(story)), aside)
    said = [part if isinstance(part, str) else part.sentence for part in story]
    sentences = numbered([FIRST[draft.kind], *said, LAST])
    example, *tests = draft.cases
    question = f"{' '.join(sentences)}\n{example.test}"
    solution = solution_text(sentences, story, example)
    return ProgramTask(question, example, tuple(tests), draft.kind, len(draft.operations), solution)
