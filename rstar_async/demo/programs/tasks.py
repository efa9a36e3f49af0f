"""A seeded source of graded programming tasks with tests and worked solutions.

The level of a task is its number of operations. The three splits are disjoint by construction:
operations in their order, with their numbers and letters, belong to one split only, whatever the
words.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from random import Random
from typing import get_args

from rstar_async.demo.draft import numbered
from rstar_async.demo.problems import MOST_SENTENCES, SHARES, Split
from rstar_async.demo.programs.inputs import Input, random_input
from rstar_async.demo.programs.operation import Applied, Operation, Type, define
from rstar_async.demo.programs.wording import (
    OPERATIONS,
    asides,
    garbled_wording,
    new_wording,
    plain_wording,
)

ENTRY_POINT = "solve"
TESTS = 5
LARGEST_NUMBER, LONGEST = 100_000, 60
FIRST = {
    "numbers": "Take a list of numbers.",
    "words": "Take a list of words.",
    "text": "Take a text.",
}
LAST = "Return the result."

Say = Callable[[tuple[str, ...], Random], str]


@dataclass(frozen=True)
class Case:
    """An argument of the function and what it returns for it."""

    argument: object
    result: object

    @property
    def call(self) -> str:
        return f"{ENTRY_POINT}({_source(self.argument)})"

    @property
    def test(self) -> str:
        return f"assert {self.call} == {_source(self.result)}"


@dataclass(frozen=True)
class ProgramTask:
    """A description with an example, hidden tests, and a gold solution in the trajectory format."""

    question: str
    example: Case
    tests: tuple[Case, ...]
    kind: str
    level: int
    solution: str


@dataclass(frozen=True)
class _Draft:
    """Operations one after the other, and cases of which the first is shown."""

    kind: Input
    operations: tuple[Applied, ...]
    cases: tuple[Case, ...]


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
        draft = _draft(level, split, say, random)
        if draft is not None:
            task = _finish(draft, random)
            tasks.setdefault(task.question, task)
    return list(tasks.values())


def split_of(kind: Input, operations: Sequence[Applied]) -> Split:
    """The one split to which this program belongs, decided by its hash."""
    identity = "; ".join((kind, *(operation.identity for operation in operations)))
    place = int.from_bytes(sha256(identity.encode()).digest()[:8]) % 100
    return next(split for split, places in SHARES.items() if place in places)


def _wording(split: Split, garbled: bool) -> Say:
    if garbled:
        return garbled_wording
    return plain_wording if split == "demonstration" else new_wording


def _draft(level: int, split: Split, say: Say, random: Random) -> _Draft | None:
    """A program of `level` operations; None if it is of another split or one of its operations
    makes too little difference."""
    kind: Input = random.choice(get_args(Input))
    operations = _operations(kind, level, say, random)
    sentences = {operation.sentence for operation in operations}
    if split_of(kind, operations) != split or len(sentences) < level:
        return None
    arguments = [random_input(kind, random) for _ in range(1 + TESTS)]
    results = arguments
    for operation in operations:
        before, results = results, _results(operation, results)
        if not _matters(before, results):
            return None
    cases = tuple(Case(a, r) for a, r in zip(arguments, results, strict=True))
    return _Draft(kind, operations, cases)


def _operations(kind: Input, level: int, say: Say, random: Random) -> tuple[Applied, ...]:
    """Operations that fit together, from a value of this kind on."""
    type_: Type = kind
    chosen: list[Applied] = []
    for left in reversed(range(level)):
        operation = random.choice([one for one in OPERATIONS if _fits(one, type_, left)])
        parameters = operation.parameters(random)
        sentence = say(operation.wordings, random)
        for name, value in parameters.items():
            sentence = sentence.replace(f"${name}", value)
        chosen.append(Applied(operation, parameters, sentence))
        type_ = operation.gives
    return tuple(chosen)


def _fits(operation: Operation, type_: Type, left: int) -> bool:
    """Whether it takes this type and leads to one with which `left` others can go on: with a single
    number or with groups, one."""
    return operation.takes == type_ and (operation.gives in FIRST or left <= 1)


def _results(operation: Applied, values: Sequence[object]) -> list[object]:
    """What the operation makes of each value."""
    function = _loaded(operation.function("f", "v"))
    return [function(value) for value in values]


@lru_cache(maxsize=4096)
def _loaded(source: str) -> Callable[[object], object]:
    """The function `f` that this package's own `source` defines."""
    scope: dict[str, Callable[[object], object]] = {}
    exec(source, scope)
    return scope["f"]


def _matters(before: Sequence[object], after: Sequence[object]) -> bool:
    """Whether the shown value and most others change, not to nothing, and the results differ and
    stay small."""
    changed = [bool(new) and old != new for old, new in zip(before, after, strict=True)]
    different = len({_source(value) for value in after})
    return changed[0] and sum(changed) >= 4 and different >= 4 and all(map(_is_small, after))


def _is_small(value: object) -> bool:
    if isinstance(value, int):
        return abs(value) < LARGEST_NUMBER
    return len(_source(value)) <= LONGEST


def _finish(draft: _Draft, random: Random) -> ProgramTask:
    """The task as text, with asides between its sentences."""
    most = max(0, MOST_SENTENCES - 1 - len(draft.operations))
    story: list[Applied | str] = list(draft.operations)
    for aside in asides(random.randint(0, most), random):
        story.insert(random.randint(0, len(story)), aside)
    said = [part if isinstance(part, str) else part.sentence for part in story]
    sentences = numbered([FIRST[draft.kind], *said, LAST])
    example, *tests = draft.cases
    question = f"{' '.join(sentences)}\n{example.test}"
    solution = _solution(sentences, story, example)
    return ProgramTask(question, example, tuple(tests), draft.kind, len(draft.operations), solution)


def _solution(sentences: Sequence[str], story: Sequence[Applied | str], example: Case) -> str:
    """A function for every sentence that asks for something, each tried on the example."""
    first, *middle, last = sentences
    newest = "f1"
    steps = [f"# {first}\n{define(newest, 'v')}\nexample = {_source(example.argument)}"]
    for number, (sentence, part) in enumerate(zip(middle, story, strict=True), start=2):
        if isinstance(part, str):
            steps.append(f"# {sentence}")
            continue
        name = f"f{number}"
        steps.append(f"# {sentence}\n{part.function(name, f'{newest}(v)')}\n{name}(example)")
        newest = name
    end = f"# {last}\n{define(ENTRY_POINT, f'{newest}(v)')}\nprint({ENTRY_POINT}(example))"
    return (
        "<code>\n" + "".join(f"{step}\n<end_of_step>\n" for step in steps) + f"{end}\n<end_of_code>"
    )


def _source(value: object) -> str:
    """The value as Python, its strings in double quotation marks as in the sentences."""
    return repr(value).replace("'", '"')
