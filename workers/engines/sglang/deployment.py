"""Making a server serve a version, and making sure that it does.

The two ways to have a server differ in how weights get into it: `Managed` may start the process
anew, `Attached` may not. Both keep what was served before if the new version does not load or does
not compute what its manifest says.
"""

import logging
from abc import ABC, abstractmethod
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import trio

from workers.engines.base import BadRequest, EngineFailed, Interrupted, ModelUnavailable
from workers.engines.sglang.client import SGLangClient
from workers.engines.sglang.model_folder import ModelFolder
from workers.engines.sglang.protocol import ServerInfo
from workers.engines.sglang.role import Role

log = logging.getLogger(__name__)

# Largest difference to the trainer's fp32 value of a probe. Wrong weights are off by whole units.
TOLERANCE = {"float32": 1e-3, "float16": 0.05}
ROUGH_TOLERANCE = 0.25


class Deployment(ABC):
    """An async context manager; raises `EngineFailed` out of its block when the server is gone."""

    def __init__(self, role: Role) -> None:
        self.role = role
        # How the server was started; known after the first `serve`.
        self.info = ServerInfo()

    @property
    @abstractmethod
    def server(self) -> SGLangClient:
        """The server that answers now; there is one after the first `serve`."""

    async def serve(self, new: ModelFolder) -> None:
        """Serve these weights; if that cannot be, raise `ModelUnavailable` and go on as before."""
        now = await self._now()
        if now is not None and now.version == new.version:
            await self._verify(new)
            return
        self._check_exchange(now, new)
        try:
            await self._put(now, new)
            await self._verify(new)
        except ModelUnavailable as refusal:
            log.error("model refused", extra={"reason": str(refusal)})
            await self._bring_back(now)
            raise
        facts = {"model": new.version, "url": self.server.url}
        log.info("SGLang serves", extra=facts)

    @abstractmethod
    async def _now(self) -> ModelFolder | None:
        """What is being served, if there is a server and it can be known."""

    @abstractmethod
    def _check_exchange(self, now: ModelFolder | None, new: ModelFolder) -> None:
        """Raise `ModelUnavailable` if it is no use to try."""

    @abstractmethod
    async def _put(self, now: ModelFolder | None, new: ModelFolder) -> None:
        """Get `new` into a server. If it fails, what is being served is unknown."""

    async def _exchange(self, new: ModelFolder, path: Path) -> None:
        """Load weights into the running server, which finds them at `path`."""
        loaded = await self.server.load(path, new.version)
        if not loaded.success:
            raise ModelUnavailable(new.path, f"SGLang did not load it: {loaded.message}")

    async def _verify(self, new: ModelFolder) -> None:
        """Does it say that it serves this version, and compute what the trainer computed?"""
        said = (await self.server.model_info()).weight_version
        if said != new.version:
            raise ModelUnavailable(new.path, f"SGLang serves {said!r} instead")
        self.info = await self.server.server_info()
        tolerance = TOLERANCE.get(self.info.dtype, ROUGH_TOLERANCE)
        for ids, expected in new.probe:
            try:
                value = await self.role.measure(self.server, ids)
            except (BadRequest, Interrupted) as error:
                raise ModelUnavailable(new.path, f"its probe failed: {error}") from error
            if not abs(value - expected) <= tolerance:
                raise ModelUnavailable(
                    new.path,
                    f"SGLang computes {value:.6g} where its manifest says {expected:.6g}",
                )

    async def _bring_back(self, old: ModelFolder | None) -> None:
        if old is None:
            return
        try:
            await self._put(None, old)
        except ModelUnavailable as error:
            raise EngineFailed(f"the version before cannot be served again: {error}") from error

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            self._nursery = await stack.enter_async_context(trio.open_nursery())
            stack.callback(self._nursery.cancel_scope.cancel)
            await self._open(stack)
            self._stack = stack.pop_all()
        return self

    @abstractmethod
    async def _open(self, stack: AsyncExitStack) -> None:
        """Open what there is to open before the first `serve`; `stack` closes it."""

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)
