"""`--search.rollouts 16` or `--search.rollouts=16`: settings of a recipe on the command line."""

from collections.abc import Sequence

from rstar_async.errors import BadInput


def split_overrides(words: Sequence[str]) -> tuple[list[str], list[tuple[str, str]]]:
    """Take out the words with a dotted key; the other words, then pairs of key and value."""
    others: list[str] = []
    pairs: list[tuple[str, str]] = []
    rest = iter(words)
    for word in rest:
        key, equals, value = word.removeprefix("--").partition("=")
        if not word.startswith("--") or "." not in key:
            others.append(word)
            continue
        given = value if equals else next(rest, None)
        if given is None:
            raise BadInput(f"{word} needs a value")
        pairs.append((key, given))
    return others, pairs
