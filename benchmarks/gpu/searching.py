"""The search that several parts run, each with something else changed."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec
import trio

from benchmarks.gpu.place import POLICY, Place
from benchmarks.one_process import CAPACITY, recipe_in, search_all
from benchmarks.prefix_cache import Spent, spent_in
from rstar_async.config import SearchConfig
from rstar_async.engines.sglang_client import SGLangClient
from rstar_async.errors import RstarError
from rstar_async.search.pools import Pools
from workers.engines.base import Engine
from workers.engines.sglang.attached import AttachedServer
from workers.engines.sglang.engine import SGLangEngine
from workers.engines.sglang.role import POLICY as POLICY_ROLE


class Size(NamedTuple):
    """How many problems, and how many of them at once."""

    problems: int
    in_flight: int

    @property
    def at_once(self) -> int:
        """Requests at the engine."""
        return min(self.in_flight, CAPACITY)


ON_CARD, ON_CARD_SHORT, ELSEWHERE = Size(240, 80), Size(80, 80), Size(12, 6)


class Searched(msgspec.Struct, frozen=True):
    """What other searches are compared with. Prompt tokens are counted once for each request."""

    new_tokens: int
    seconds: float
    prompt: int
    prefilled: int

    @property
    def rate(self) -> float:
        """New tokens a second, from the first request to the last answer."""
        return self.new_tokens / self.seconds

    @property
    def prefilled_share(self) -> float:
        """Above 1 if samples do not share a prompt."""
        return self.prefilled / self.prompt


def size_of(place: Place) -> Size:
    if not place.on_card:
        return ELSEWHERE
    return ON_CARD_SHORT if place.short else ON_CARD


def run_search(
    place: Place,
    part: str,
    open_engine: Callable[[Path], Engine],
    as_used: Callable[[Pools], Pools] = lambda pools: pools,
    *,
    shared: bool = True,
) -> Spent:
    """Search all problems, with a store of the part's own; `shared`: see `spent_in`."""
    size = size_of(place)
    settings = SearchConfig(
        rollouts=8,
        candidates=4,
        max_depth=12,
        max_tokens=40,
        temperature=1.0,
        in_flight=size.in_flight,
    )
    recipe = recipe_in(place.home / part, size.problems, settings, place.models / POLICY)
    seconds = trio.run(search_all, recipe, open_engine, as_used)
    return spent_in(recipe, seconds, shared=shared)


def attached(place: Place, models: Path) -> SGLangEngine:
    """An engine on the policy's server; `models` is a folder with the version it serves."""
    return SGLangEngine(models, AttachedServer(POLICY_ROLE, place.url(POLICY), models))


async def forget(place: Place) -> None:
    """Empty the prefix cache of the policy's server: it loads the weights that it has."""
    async with SGLangClient(place.url(POLICY)) as server:
        loaded = await server.load(place.models / POLICY, POLICY)
    if not loaded.success:
        raise RstarError(f"the policy's server did not load its weights: {loaded.message}")


def searched(spent: Spent) -> Searched:
    return Searched(spent.new, spent.seconds, spent.prompt, spent.prefilled)


def keep(place: Place, found: Searched) -> None:
    """For the parts that compare themselves with the part `search`."""
    _file(place).write_bytes(msgspec.json.encode(found))


def kept(place: Place) -> Searched:
    return msgspec.json.decode(_file(place).read_bytes(), type=Searched)


def _file(place: Place) -> Path:
    return place.home / "searched.json"
