"""`--search.rollouts 16` or `--search.rollouts=16`: settings of a recipe on the command line."""

from collections.abc import Sequence

from rstar_async.errors import BadInput


def parse_overrides(words: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs of dotted key and value, in order."""
    pairs: list[tuple[str, str]] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("--"):
            raise BadInput(f"unexpected argument {word!r}")
        key, equals, value = word[2:].partition("=")
        if not equals:
            if not rest:
                raise BadInput(f"{word} needs a value")
            value = rest.pop(0)
        pairs.append((key, value))
    return pairs
