"""Drafts of tasks: operations that fit together, and what they do to some values; no text yet."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from random import Random
from typing import get_args

from rstar_async.demo.problems import SHARES, Split
from rstar_async.demo.programs.cases import Case, source_of
from rstar_async.demo.programs.inputs import Input, random_input
from rstar_async.demo.programs.operation import Applied, Operation, Type
from rstar_async.demo.programs.wording import OPERATIONS, Say

TESTS = 5
LARGEST_NUMBER, LONGEST = 100_000, 60


@dataclass(frozen=True)
class Draft:
    """Operations one after the other, and cases of which the first is shown."""

    kind: Input
    operations: tuple[Applied, ...]
    cases: tuple[Case, ...]


def draft_of(level: int, split: Split, say: Say, random: Random) -> Draft | None:
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
    return Draft(kind, operations, cases)


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
    return operation.takes == type_ and (operation.gives in get_args(Input) or left <= 1)


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
    different = len({source_of(value) for value in after})
    return changed[0] and sum(changed) >= 4 and different >= 4 and all(map(_is_small, after))


def _is_small(value: object) -> bool:
    if isinstance(value, int):
        return abs(value) < LARGEST_NUMBER
    return len(source_of(value)) <= LONGEST


def split_of(kind: Input, operations: Sequence[Applied]) -> Split:
    """The one split to which this program belongs, decided by its hash."""
    identity = "; ".join((kind, *(operation.identity for operation in operations)))
    place = int.from_bytes(sha256(identity.encode()).digest()[:8]) % 100
    return next(split for split, places in SHARES.items() if place in places)
