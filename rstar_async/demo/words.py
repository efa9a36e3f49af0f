"""The names, things and asides that the stories draw from."""

from random import Random

HE = ("Tom", "Ben", "Carl", "Dan", "Eric", "Fred", "Hugo", "Ivan")
SHE = ("Ann", "Beth", "Cleo", "Dora", "Emma", "Gina", "Iris", "Jane")
NAMES = HE + SHE
THINGS = (
    "apples", "cards", "coins", "shells", "pens", "books", "stamps", "toys",
)  # fmt: skip

ASIDES = (
    "The sun is shining.",
    "It is raining today.",
    "The dog is asleep.",
    "{name} likes music.",
    "{name} is at home.",
    "{name} has a red bike.",
    "It is {number} o'clock.",
    "The bus number is {number}.",
)


def pronoun(name: str) -> str:
    """He or She, as the name has it."""
    return "He" if name in HE else "She"


def asides(count: int, avoid: str, random: Random) -> list[str]:
    """That many sentences with nothing to compute in them; none repeats."""
    chosen = random.sample(ASIDES, count)
    names = [name for name in NAMES if name not in avoid]
    return [s.format(name=random.choice(names), number=random.randint(2, 12)) for s in chosen]
