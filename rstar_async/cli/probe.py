"""A short search by the real engine, to tell how fast a run will be."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import trio

from rstar_async.api.result import SearchResult
from rstar_async.api.session import Session, open_session
from rstar_async.config import Recipe
from rstar_async.config.layers import flattened
from rstar_async.config.loader import as_toml_values
from rstar_async.planning.work import Probe
from storage import queries
from storage.database import Database, open_database
from storage.records import Problem

SECONDS = 30.0
# The model is loaded first, which may take long.
LONGEST_WAIT = 300.0
POLL_SECONDS = 0.5
SECTIONS = ("search", "execution", "bounds", "workers", "sglang", "openai", "answers")


def probe(recipe: Recipe, problems: Sequence[Problem], model: str) -> Probe | None:
    """Search problems for half a minute after the first tokens; None if no tokens came. Stores
    nothing that stays. `BadInput` if `model` cannot be served as it is."""
    with tempfile.TemporaryDirectory(prefix="rstar-probe-") as folder:
        return trio.run(_probe, recipe, problems, model, Path(folder))


async def _probe(
    recipe: Recipe, problems: Sequence[Problem], model: str, home: Path
) -> Probe | None:
    finished: list[SearchResult] = []
    async with open_session(
        model,
        rollouts=recipe.search.rollouts,
        candidates=recipe.search.candidates,
        settings=_settings(recipe),
        home=home,
    ) as session:
        with open_database(f"sqlite:///{home / 'rstar.db'}", must_exist=True) as database:
            async with trio.open_nursery() as nursery:
                queue = iter(problems)
                for _ in range(min(recipe.search.in_flight, len(problems))):
                    nursery.start_soon(_search_all, session, queue, finished)
                spent, nodes, seconds = await _watch(database)
                nursery.cancel_scope.cancel()
    if not spent:
        return None
    searches = len(finished) or min(recipe.search.in_flight, len(problems))
    tokens = sum(result.statistics.tokens for result in finished) if finished else spent
    grown = sum(result.statistics.nodes for result in finished) if finished else nodes
    return Probe(len(finished), tokens / searches, grown / searches, spent / seconds)


async def _search_all(session: Session, queue: Any, finished: list[SearchResult]) -> None:
    for problem in queue:
        finished.append(await session.search(problem.question, answer=problem.answer))


async def _watch(database: Database) -> tuple[int, int, float]:
    """Tokens, nodes and seconds from the first tokens on."""
    begun = ended = trio.current_time()
    tokens = nodes = 0
    while ended - begun < (SECONDS if tokens else LONGEST_WAIT):
        counts = await trio.to_thread.run_sync(database.read, _counts)
        if counts[0] and not tokens:
            begun = trio.current_time() - POLL_SECONDS
        if counts[0] == tokens and counts[2]:  # all searches have ended
            break
        tokens, nodes, _ = counts
        await trio.sleep(POLL_SECONDS)
        ended = trio.current_time()
    return tokens, nodes, max(ended - begun, POLL_SECONDS)


def _counts(connection: queries.Connection) -> tuple[int, int, bool]:
    """Tokens and nodes of all searches, and whether none is under way."""
    (run,) = queries.runs(connection)
    found = [queries.progress(connection, run.id, number, "evaluation") for number in (0, 1)]
    searches = sum(one.searches for one in found)
    over = searches > 0 and all(one.searches == one.finished + one.failed for one in found)
    return sum(one.new_tokens for one in found), sum(one.nodes for one in found), over


def _settings(recipe: Recipe) -> dict[str, Any]:
    """The recipe's settings of search and workers."""
    flat = flattened(as_toml_values(recipe))
    return {key: value for key, value in flat.items() if key.split(".")[0] in SECTIONS}
