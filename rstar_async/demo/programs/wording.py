"""The words of the descriptions: plain ones, new ones, and new ones replaced at random."""

import re
from collections.abc import Callable
from random import Random

from rstar_async.demo.programs.on_numbers import ON_NUMBERS
from rstar_async.demo.programs.on_text import ON_TEXT
from rstar_async.demo.programs.on_words import ON_WORDS
from rstar_async.demo.words import GARBLED_SHARE, NAMES

# Chooses one of an operation's wordings, the first of which is plain.
Say = Callable[[tuple[str, ...], Random], str]

OPERATIONS = (*ON_NUMBERS, *ON_WORDS, *ON_TEXT)

_WORD = re.compile(r"(?<![\"$])\b[A-Za-z]+\b")


def _words(sentences: list[str]) -> set[str]:
    return {word for sentence in sentences for word in _WORD.findall(sentence)}


PLAIN_WORDS = _words([operation.plain for operation in OPERATIONS])
# Words that the tasks to be solved use and no demonstration explains.
NEW_WORDS = tuple(
    sorted(_words([new for operation in OPERATIONS for new in operation.new]) - PLAIN_WORDS)
)
# How often such a task says an operation in new words, if there are any.
NEW_SHARE = 0.8

ASIDES = (
    "This is for {name}.",
    "Speed does not matter.",
    "It is task {number} of today.",
    "The motto is {words}.",
    "The motto is {words}.",
    "The motto is {words}.",
)
_ASIDES = [re.compile(re.sub(r"\{\w+\}", r"[\\w ]+", aside)) for aside in ASIDES]


def plain_wording(wordings: tuple[str, ...], _: Random) -> str:
    """The plain words."""
    return wordings[0]


def new_wording(wordings: tuple[str, ...], random: Random) -> str:
    """The plain wording or, more often, one of the new ones if there are any."""
    plain, *new = wordings
    return random.choice(new) if new and random.random() < NEW_SHARE else plain


def garbled_wording(wordings: tuple[str, ...], random: Random) -> str:
    """The plain wording or, sometimes, a new one with its new words replaced at random.

    The meaning can then only be guessed from the rest of the sentence, which teaches to guess.
    """
    plain, *new = wordings
    if not new or random.random() >= GARBLED_SHARE:
        return plain
    return _WORD.sub(lambda word: _garbled(word[0], random), random.choice(new))


def asides(count: int, random: Random) -> list[str]:
    """`count` different sentences that ask for nothing."""
    return [
        aside.format(
            name=random.choice(NAMES),
            number=random.randint(2, 30),
            words=" ".join(random.sample(NEW_WORDS, 3)),
        )
        for aside in random.sample(ASIDES, count)
    ]


def is_aside(sentence: str) -> bool:
    """Whether it asks for nothing."""
    return any(pattern.fullmatch(sentence) for pattern in _ASIDES)


def _garbled(word: str, random: Random) -> str:
    """Another new word that is written with a capital if this one is; a known word stays."""
    if word not in NEW_WORDS:
        return word
    return random.choice([new for new in NEW_WORDS if new.istitle() == word.istitle()])
