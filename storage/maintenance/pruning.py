"""Making a store smaller by removing texts that no training used, in closed rounds.

The steps, outputs and tokens of nodes fill the disk. They stay on the path to every right answer
and to both sides of every preference, since models were trained on these. All other nodes lose
their texts but keep N, Q, outcome and cost, so trees can still be drawn and reports do not change.
"""

import time
from collections.abc import Iterable, Sequence

import msgspec
import sqlalchemy as sa

from storage.queries.select import matches
from storage.records import Purpose, SearchStatus
from storage.tables import nodes, pairs, rounds, searches

TEXTS = ("text", "observation", "stdout", "exec_error")
TOKENS = ("tokens", "observation_tokens")
PATHS_AT_ONCE = 1000


class Selection(msgspec.Struct, frozen=True):
    """Which searches; None is any. Searches of rounds that are not closed are never selected."""

    run_id: str | None = None
    rounds: Sequence[int] | None = None
    purpose: Purpose | None = None
    status: SearchStatus | None = None


class TextUsage(msgspec.Struct, frozen=True):
    """Nodes of a search that have texts, how many of them no training used, and their bytes."""

    nodes: int
    unused: int
    unused_bytes: int


def searches_to_prune(connection: sa.Connection, wanted: Selection) -> list[str]:
    """Finished and failed searches of closed rounds that were not pruned yet, by id."""
    numbers = sa.true() if wanted.rounds is None else searches.c.round.in_(wanted.rounds)
    query = (
        sa.select(searches.c.id)
        .join(rounds, _is_round_of(searches))
        .where(rounds.c.status == "closed", searches.c.pruned_at.is_(None))
        .where(
            searches.c.status.in_(("finished", "failed")),
            matches(searches.c.run_id, wanted.run_id),
        )
        .where(
            matches(searches.c.purpose, wanted.purpose),
            matches(searches.c.status, wanted.status),
        )
        .where(numbers)
        .order_by(searches.c.id)
    )
    return list(connection.scalars(query))


def prune_each(connection: sa.Connection, ids: Sequence[str]) -> list[TextUsage]:
    """`prune` these searches in one transaction, as a commit for each would take longer than it."""
    return [prune(connection, search_id) for search_id in ids]


def prunable_texts(connection: sa.Connection, search_id: str) -> TextUsage:
    """What `prune` would remove of a search."""
    sizes, unused = _text_sizes(connection, search_id)
    return TextUsage(len(sizes), len(unused), sum(sizes[path] for path in unused))


def prune(connection: sa.Connection, search_id: str) -> TextUsage:
    """Remove a search's unused texts and mark it as pruned; harmless to repeat."""
    sizes, unused = _text_sizes(connection, search_id)
    blank = dict.fromkeys(TEXTS, "") | dict.fromkeys(TOKENS, ())
    of_search = nodes.update().where(nodes.c.search_id == search_id).values(blank)
    for start in range(0, len(unused), PATHS_AT_ONCE):
        paths = unused[start : start + PATHS_AT_ONCE]
        connection.execute(of_search.where(nodes.c.path.in_(paths)))
    mark = searches.update().where(searches.c.id == search_id, searches.c.pruned_at.is_(None))
    connection.execute(mark.values(pruned_at=time.time()))
    return TextUsage(len(sizes), len(unused), sum(sizes[path] for path in unused))


def with_ancestors(paths: Iterable[str]) -> set[str]:
    """`paths` and the paths of all their ancestors. Pure."""
    found: set[str] = set()
    for path in paths:
        while path and path not in found:
            found.add(path)
            path = path.rpartition(".")[0]
    return found


def _text_sizes(connection: sa.Connection, search_id: str) -> tuple[dict[str, int], list[str]]:
    """The bytes of each node's texts by path, and the paths that no training used."""
    of_search = nodes.c.search_id == search_id
    size = sum(
        (sa.func.length(nodes.c[name], type_=sa.Integer) for name in (*TEXTS, *TOKENS)),
        start=sa.literal(0),
    )
    rows = connection.execute(sa.select(nodes.c.path, size).where(of_search))
    sizes = {path: length for path, length in rows if length}
    keep = with_ancestors(_used_by_training(connection, search_id))
    return sizes, [path for path in sizes if path not in keep]


def _used_by_training(connection: sa.Connection, search_id: str) -> list[str]:
    right = sa.select(nodes.c.path).where(
        nodes.c.search_id == search_id, nodes.c.status == "answer", nodes.c.correct.is_(sa.true())
    )
    sides = (
        sa.select(column).where(pairs.c.search_id == search_id)
        for column in (pairs.c.chosen_path, pairs.c.rejected_path)
    )
    return list(connection.scalars(sa.union(right, *sides)))


def _is_round_of(table: sa.Table) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.run_id == rounds.c.run_id, table.c.round == rounds.c.number)
