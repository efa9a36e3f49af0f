"""Requests that arrive together with a common prefix compute it once."""

from collections.abc import Iterable

# Below this many shared tokens, waiting a step costs more than computing them twice.
WORTH_WAITING = 16


def waits_for(tokens: tuple[int, ...], cached: int, others: Iterable[tuple[int, ...]]) -> bool:
    """Whether one of `others`, computed now, would spare `tokens` much beyond its `cached` ones."""
    head = tokens[: cached + WORTH_WAITING]
    if len(head) < cached + WORTH_WAITING:
        return False
    return any(other[: len(head)] == head for other in others)
