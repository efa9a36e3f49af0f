"""The SGLang servers of a recipe, already running or still to be started; pure."""

from typing import Literal, TypeAlias

import msgspec

from rstar_async.config import Recipe

ModelPool: TypeAlias = Literal["inference", "reward"]

MEMORY_SAVER = "--enable-memory-saver"


class Server(msgspec.Struct, frozen=True):
    """`port` and `arguments` are those of a server that a worker starts; else `port` is 0."""

    pool: ModelPool
    url: str
    port: int = 0
    arguments: tuple[str, ...] = ()

    @property
    def is_ours(self) -> bool:
        return self.port > 0


def servers_of(recipe: Recipe, *pools: ModelPool) -> list[Server]:
    """The servers behind these pools, one for each worker."""
    return [server for pool in pools for server in _of_pool(recipe, pool)]


def _of_pool(recipe: Recipe, pool: ModelPool) -> list[Server]:
    settings, workers = recipe.sglang, recipe.workers
    if pool == "inference":
        urls, count, first = settings.policy_urls, workers.inference, settings.port
        arguments = settings.policy_arguments
    else:
        urls, count = settings.ppm_urls, workers.reward
        # After the ports for policy servers, whether those are used or not.
        first = settings.port + workers.inference
        arguments = settings.ppm_arguments
    if urls:
        return [Server(pool, url.rstrip("/")) for url in urls]
    if settings.share_device:
        arguments = (*arguments, MEMORY_SAVER)
    ports = range(first, first + count)
    return [Server(pool, f"http://127.0.0.1:{port}", port, arguments) for port in ports]
