"""Random arguments for the functions that are asked for."""

from random import Random
from typing import Any, Literal

Input = Literal["numbers", "words", "text"]

WORDS = (
    "tea", "sun", "oats", "rain", "nose", "stone", "train", "aorta", "lions", "salt", "tiles",
    "arena", "sister", "island", "ants", "ear", "total", "relation", "onion", "ratio", "tailor",
    "nation", "eel", "rosette", "tin", "alien", "sail", "loan", "test", "season",
)  # fmt: skip


def random_input(kind: Input, random: Random) -> object:
    """A list of numbers, a list of words, or a text of some words. Some items occur twice."""
    if kind == "numbers":
        return _with_a_repetition(
            [random.randint(1, 40) for _ in range(random.randint(5, 6))], random
        )
    words = random.sample(WORDS, random.randint(4, 5))
    if kind == "words":
        return _with_a_repetition(words, random)
    return " ".join(words[:3])


def _with_a_repetition(items: list[Any], random: Random) -> list[Any]:
    items.insert(random.randint(0, len(items)), random.choice(items))
    return items
