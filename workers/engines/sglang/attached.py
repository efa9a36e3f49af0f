"""A server that was started elsewhere, perhaps on another machine."""

import logging
from contextlib import AsyncExitStack
from pathlib import Path

import trio

from rstar_async.engines.errors import ModelUnavailable
from rstar_async.engines.sglang_client import SGLangClient
from workers.engines.sglang.deployment import Deployment
from workers.engines.sglang.model_folder import ModelFolder, read_model_folder
from workers.engines.sglang.role import Role

log = logging.getLogger(__name__)

POLL_SECONDS = 0.5
POLLS_PER_LINE = 60


class AttachedServer(Deployment):
    """`models_there` is the folder of versions as the server sees it, if that differs."""

    def __init__(
        self, role: Role, url: str, models_here: Path, models_there: Path | None = None
    ) -> None:
        super().__init__(role)
        self._server = SGLangClient(url)
        self._here = models_here
        self._there = models_there or models_here

    @property
    def server(self) -> SGLangClient:
        return self._server

    async def _open(self, stack: AsyncExitStack) -> None:
        """Wait for the server without a time limit."""
        await stack.enter_async_context(self._server)
        await self._wait_until_healthy()
        await self.role.check(self._server)
        self._nursery.start_soon(self._server.watch)

    async def _wait_until_healthy(self) -> None:
        polls = 0
        while not await self._server.is_healthy():
            if polls % POLLS_PER_LINE == 0:
                log.info("waiting for SGLang", extra={"url": self._server.url})
            polls += 1
            await trio.sleep(POLL_SECONDS)

    async def _current(self) -> ModelFolder | None:
        info = await self._server.model_info()
        path = self._here / Path(info.model_path).name
        try:
            return read_model_folder(path, info.weight_version)
        except ModelUnavailable:  # not one of these versions: its shapes are unknown
            return None

    def _check_exchange(self, current: ModelFolder | None, new: ModelFolder) -> None:
        if current is not None and not new.replaces(current):
            raise ModelUnavailable(
                new.path,
                f"its shapes are not those of {current.path.name}, which SGLang at "
                f"{self._server.url} serves; that server must be restarted with it",
            )

    async def _install(self, current: ModelFolder | None, new: ModelFolder) -> None:
        await self._exchange(new, self._there / new.path.relative_to(self._here))
