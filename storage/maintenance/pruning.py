"""Making a store smaller: closed rounds lose the words that taught nothing, and no number.

Of a tree's nodes the steps, outputs and tokens are what fills a disk. They stay wherever a model
may have learnt from them: on the way to every right answer and to both sides of every preference,
so a version's lineage can be followed down to each word it was trained on. Of all other nodes the
words go; N, Q, outcome and cost stay, so trees can be drawn and reports count what they counted.
"""

import time
from collections.abc import Iterable, Sequence

import msgspec
import sqlalchemy as sa

from storage.queries.reading import given
from storage.records import Purpose, SearchStatus
from storage.tables import nodes, pairs, rounds, searches

WORDS = ("text", "observation", "stdout", "exec_error")
IDS = ("tokens", "observation_tokens")


class Selection(msgspec.Struct, frozen=True):
    """Which searches; None is any. Those of rounds that are not closed are never among them."""

    run_id: str | None = None
    rounds: Sequence[int] | None = None
    purpose: Purpose | None = None
    status: SearchStatus | None = None


class Words(msgspec.Struct, frozen=True):
    """What a search holds: nodes with words, those of them that nothing needs, and their bytes."""

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
            searches.c.status.in_(("finished", "failed")), given(searches.c.run_id, wanted.run_id)
        )
        .where(given(searches.c.purpose, wanted.purpose), given(searches.c.status, wanted.status))
        .where(numbers)
        .order_by(searches.c.id)
    )
    return list(connection.scalars(query))


def words_of(connection: sa.Connection, search_id: str) -> Words:
    """What `prune` would remove of a search."""
    worded, unused = _worded(connection, search_id)
    return Words(len(worded), len(unused), sum(worded[path] for path in unused))


def prune(connection: sa.Connection, search_id: str) -> Words:
    """Remove a search's unused words and mark it; again, it does nothing."""
    worded, unused = _worded(connection, search_id)
    blank = dict.fromkeys(WORDS, "") | dict.fromkeys(IDS, ())
    if unused:
        statement = (
            nodes.update()
            .where(nodes.c.search_id == search_id, nodes.c.path == sa.bindparam("unused"))
            .values(blank)
        )
        connection.execute(statement, [{"unused": path} for path in unused])
    mark = searches.update().where(searches.c.id == search_id, searches.c.pruned_at.is_(None))
    connection.execute(mark.values(pruned_at=time.time()))
    return Words(len(worded), len(unused), sum(worded[path] for path in unused))


def needed(taught: Iterable[str]) -> set[str]:
    """`taught` and all nodes on the way to them. Pure."""
    found: set[str] = set()
    for path in taught:
        while path and path not in found:
            found.add(path)
            path = path.rpartition(".")[0]
    return found


def _worded(connection: sa.Connection, search_id: str) -> tuple[dict[str, int], list[str]]:
    """Bytes of words by path, and the paths that nothing needs."""
    of_search = nodes.c.search_id == search_id
    size = sum(
        (sa.func.length(nodes.c[name], type_=sa.Integer) for name in (*WORDS, *IDS)),
        start=sa.literal(0),
    )
    sizes = connection.execute(sa.select(nodes.c.path, size).where(of_search))
    worded = {path: words for path, words in sizes if words}
    keep = needed(_taught(connection, search_id))
    return worded, [path for path in worded if path not in keep]


def _taught(connection: sa.Connection, search_id: str) -> list[str]:
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
