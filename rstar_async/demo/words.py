"""Names, things and wordings of the problems."""

import re
from collections.abc import Callable
from random import Random
from typing import TypeAlias

# Chooses between the plain wording and new ones.
Say: TypeAlias = Callable[..., str]

HE = ("Tom", "Ben", "Carl", "Dan", "Eric", "Fred", "Hugo", "Ivan")
SHE = ("Ann", "Beth", "Cleo", "Dora", "Emma", "Gina", "Iris", "Jane")
NAMES = HE + SHE
THINGS = (
    "apples", "cards", "coins", "shells", "pens", "books", "stamps", "toys",
)  # fmt: skip

# Words that the problems to be solved use instead of plain ones. The bootstrap data does not
# explain them: there they occur in asides, or in place of another word.
NEW_WORDS = (
    "finds", "wins", "sends", "boxes", "opens", "drops", "sells", "lends", "pile", "becomes",
    "big", "born", "before", "after", "lived", "long", "works", "breaks", "speeds", "slows",
    "largest", "smallest", "shared", "factor", "what", "remains", "was", "up", "down", "when",
    "among",
)  # fmt: skip

NEW_SHARE, GARBLED_SHARE = 0.6, 0.3

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
    """He or She, by the name."""
    return "He" if name in HE else "She"


def plain_wording(_: Random, plain: str, *_new: str) -> str:
    """The plain words."""
    return plain


def new_wording(random: Random, plain: str, *new: str) -> str:
    """The plain wording or, more often, one of the new ones."""
    return random.choice(new) if random.random() < NEW_SHARE else plain


def garbled_wording(random: Random, plain: str, *new: str) -> str:
    """The plain wording or, sometimes, a new one with its new words replaced at random.

    The meaning can then only be guessed from the rest of the sentence, which teaches to guess.
    """
    if random.random() >= GARBLED_SHARE:
        return plain
    return re.sub("[a-z]+", lambda word: _garbled(word[0], random), random.choice(new))


def _garbled(word: str, random: Random) -> str:
    return random.choice(NEW_WORDS) if word in NEW_WORDS else word


def asides(count: int, avoid: str, random: Random) -> list[str]:
    """`count` different sentences without arithmetic, with no name that occurs in `avoid`."""
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
