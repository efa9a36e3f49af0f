"""The names, things and wordings that the problems draw from."""

from collections.abc import Callable
from random import Random
from typing import TypeAlias

# Takes the plain wording and new ones, returns one of them.
Say: TypeAlias = Callable[..., str]

HE = ("Tom", "Ben", "Carl", "Dan", "Eric", "Fred", "Hugo", "Ivan")
SHE = ("Ann", "Beth", "Cleo", "Dora", "Emma", "Gina", "Iris", "Jane")
NAMES = HE + SHE
THINGS = (
    "apples", "cards", "coins", "shells", "pens", "books", "stamps", "toys",
)  # fmt: skip

# Words that the problems to be solved use in place of plain ones, half the time. No demonstration
# says what they mean; all that it shows is how they are spelt, on signs.
NEW_WORDS = (
    "finds", "wins", "sends", "boxes", "opens", "drops", "sells", "lends", "pile", "becomes",
    "big", "born", "before", "after", "lived", "long", "works", "breaks", "speeds", "slows",
    "largest", "smallest", "shared", "factor", "what", "remains", "was", "up", "down", "when",
    "among",
)  # fmt: skip

ASIDES = (
    "The sun is shining.",
    "The dog is asleep.",
    "{name} likes music.",
    "{name} has a red bike.",
    "The bus number is {number}.",
    "A sign says {words}.",
    "A sign says {words}.",
    "A sign says {words}.",
)


def pronoun(name: str) -> str:
    """He or She, as the name has it."""
    return "He" if name in HE else "She"


def wording(may_be_new: bool, random: Random, plain: str, *new: str) -> str:
    """The plain words or, where they may be new, half the time one of the new ways to say it."""
    if not may_be_new or random.random() < 0.5:
        return plain
    return random.choice(new)


def asides(count: int, avoid: str, random: Random) -> list[str]:
    """That many sentences with nothing to compute in them; none repeats."""
    chosen = random.sample(ASIDES, count)
    names = [name for name in NAMES if name not in avoid]
    return [
        aside.format(
            name=random.choice(names),
            number=random.randint(2, 12),
            words=" ".join(random.sample(NEW_WORDS, 3)),
        )
        for aside in chosen
    ]
