"""The meaning of the demo's sentences: from a question back to the Python of each of its sentences.

The counterpart of `kinds`, whose sentences it reads in all their wordings; no solution is needed.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

_NAME, _NUMBER, _THING = "(?P<{}>[A-Z][a-z]+)", r"(?P<{}>\d+)", "(?P<thing>[a-z]+)"
_HE = "(?:He|She)"
_N, _K = _NUMBER.format("n"), _NUMBER.format("k")
_PERSON, _OTHER = _NAME.format("person"), _NAME.format("other")

# A pattern for all wordings of a sentence, and the lines it adds to the program. `thing` is a
# variable as it stands, people are variables in lower case.
_SENTENCES: Sequence[tuple[str, tuple[str, ...]]] = [
    # story
    (f"{_PERSON} has {_N} {_THING}\\.", ("{thing} = {n}",)),
    (f"{_HE} (?:buys|finds|wins) {_N} {_THING}\\.", ("{thing} = {thing} + {n}",)),
    (
        f"{_HE} (?:gets|opens) {_K} (?:bags|boxes) of {_N} {_THING}\\.",
        ("{thing} = {thing} + {k} * {n}",),
    ),
    (f"{_HE} (?:loses|drops|sells) {_N} {_THING}\\.", ("{thing} = {thing} - {n}",)),
    (f"The number of {_THING} grows {_N} times\\.", ("{thing} = {thing} * {n}",)),
    (f"The pile of {_THING} becomes {_N} times as big\\.", ("{thing} = {thing} * {n}",)),
    (f"{_HE} gives away half of the {_THING}\\.", ("{thing} = {thing} // 2",)),
    # ages
    (f"{_PERSON} is {_N} years old\\.", ("{person} = {n}",)),
    (f"{_PERSON} is {_N} years older than {_OTHER}\\.", ("{person} = {other} + {n}",)),
    (f"{_PERSON} was born {_N} years before {_OTHER}\\.", ("{person} = {other} + {n}",)),
    (f"{_PERSON} is {_N} years younger than {_OTHER}\\.", ("{person} = {other} - {n}",)),
    (f"{_PERSON} was born {_N} years after {_OTHER}\\.", ("{person} = {other} - {n}",)),
    (f"{_PERSON} is {_N} times as old as {_OTHER}\\.", ("{person} = {other} * {n}",)),
    (f"{_PERSON} has lived {_N} times as long as {_OTHER}\\.", ("{person} = {other} * {n}",)),
    # rates
    (f"A machine makes {_N} {_THING} per hour\\.", ("rate = {n}", "total = 0")),
    (f"It (?:runs|works) for {_N} hours\\.", ("total = total + rate * {n}",)),
    (f"The worker (?:throws away|breaks) {_N} {_THING}\\.", ("total = total - {n}",)),
    (f"It (?:gets faster|speeds up) by {_N} {_THING} per hour\\.", ("rate = rate + {n}",)),
    (f"It (?:gets slower|slows down) by {_N} {_THING} per hour\\.", ("rate = rate - {n}",)),
    # divisors
    (f"Start with the number {_N}\\.", ("import math", "n = {n}")),
    (
        f"Find the (?:greatest common divisor|largest factor shared) with {_N}\\.",
        ("n = math.gcd(n, {n})",),
    ),
    (
        f"Find the (?:least common multiple|smallest multiple shared) with {_N}\\.",
        ("n = math.lcm(n, {n})",),
    ),
    (
        f"Take (?:the remainder after division by|what remains when shared among) {_N}\\.",
        ("n = n % {n}",),
    ),
    (f"Add {_N} to it\\.", ("n = n + {n}",)),
    (f"Multiply it by {_N}\\.", ("n = n * {n}",)),
    # equations
    (
        f"{_PERSON} thinks of a number\\.",
        ("from sympy import symbols, solve", 'x = symbols("x")', "y = x"),
    ),
    (f"{_HE} adds {_N}\\.", ("y = y + {n}",)),
    (f"{_HE} takes away {_N}\\.", ("y = y - {n}",)),
    (f"{_HE} multiplies it by {_N}\\.", ("y = y * {n}",)),
    (f"The result is {_N}\\.", ("x = solve(y - {n}, x)[0]",)),
    # what is asked
    (f"How many {_THING} does {_PERSON} have now\\?", ("print({thing})",)),
    (f"How old is {_PERSON}\\?", ("print({person})",)),
    (f"How many {_THING} are there now\\?", ("print(total)",)),
    ("Which number is left\\?", ("print(n)",)),
    ("What was the number\\?", ("print(x)",)),
    # asides
    ("The sun is shining\\.", ()),
    ("The dog is asleep\\.", ()),
    (f"{_PERSON} likes music\\.", ()),
    (f"{_PERSON} has a red bike\\.", ()),
    (f"The bus number is {_N}\\.", ()),
    ("A sign says [a-z]+ [a-z]+ [a-z]+\\.", ()),
]
_MEANINGS = [(re.compile(pattern), lines) for pattern, lines in _SENTENCES]
_OWNER = re.compile(f"{_PERSON} has {_N} {_THING}\\.")
_GIFT = re.compile(f"{_PERSON} (?:gives|sends|lends) {_OTHER} {_N} {_THING}\\.")
_NUMBERED = re.compile(r"(?:^| )(\d+)\) ")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence and the lines of Python that it adds, none for an aside."""

    text: str
    lines: tuple[str, ...]


@lru_cache(maxsize=1024)
def read_question(question: str) -> tuple[Sentence, ...] | None:
    """The sentences in order, the last of which asks; None unless all of them are the demo's."""
    sentences: list[Sentence] = []
    owner = ""
    for text in numbered_sentences(question):
        lines = _lines(text, owner)
        if lines is None:
            return None
        if (has := _OWNER.fullmatch(text)) is not None:
            owner = has["person"]
        sentences.append(Sentence(text, lines))
    return tuple(sentences) if sentences and sentences[-1].text.endswith("?") else None


def numbered_sentences(question: str) -> list[str]:
    """The numbered sentences without their numbers; none if these do not count from 1."""
    before, *pieces = _NUMBERED.split(question)
    numbers, texts = pieces[::2], pieces[1::2]
    counted = [str(number) for number in range(1, len(texts) + 1)]
    return texts if not before and numbers == counted else []


def _lines(text: str, owner: str) -> tuple[str, ...] | None:
    """The lines of a sentence in a story about `owner`; None if it is not the demo's."""
    if (gift := _GIFT.fullmatch(text)) is not None:
        return _gift(gift, owner)
    for pattern, lines in _MEANINGS:
        if (found := pattern.fullmatch(text)) is not None:
            names = {key: value.lower() for key, value in found.groupdict().items()}
            return tuple(line.format(**names) for line in lines)
    return None


def _gift(gift: re.Match[str], owner: str) -> tuple[str, ...] | None:
    """What the owner is given is added, what the owner gives is taken away."""
    if owner not in (gift["person"], gift["other"]):
        return None
    sign = "+" if gift["other"] == owner else "-"
    return (f"{gift['thing']} = {gift['thing']} {sign} {gift['n']}",)
