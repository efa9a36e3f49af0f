"""Making a server serve a version, and verifying that it does.

The two ways to have a server differ in how weights get into it: `ManagedServer` may restart the
process, `AttachedServer` may not. Both keep what was served before if the new version does not load
or does not compute what its manifest says.
"""

import logging
from abc import ABC, abstractmethod
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import trio

from rstar_async.engines.errors import BadRequest, EngineFailed, Interrupted, ModelUnavailable
from rstar_async.engines.sglang_client import SGLangClient
from rstar_async.engines.sglang_messages import ServerInfo
from workers.engines.sglang.model_folder import ModelFolder
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
        """The current server; there is one after the first `serve`."""

    async def serve(self, new: ModelFolder) -> None:
        """Serve these weights; if that cannot be, raise `ModelUnavailable` and go on as before."""
        current = await self._current()
        if current is not None and current.version == new.version:
            await self._verify(new)
            return
        self._check_exchange(current, new)
        try:
            await self._install(current, new)
            await self._verify(new)
        except ModelUnavailable as refusal:
            log.error("model refused", extra={"reason": str(refusal)})
            await self._restore(current)
            raise
        facts = {"model": new.version, "url": self.server.url}
        log.info("SGLang serves", extra=facts)

    @abstractmethod
    async def _current(self) -> ModelFolder | None:
        """What is being served; None without a server or where it cannot be known."""

    @abstractmethod
    def _check_exchange(self, current: ModelFolder | None, new: ModelFolder) -> None:
        """Raise `ModelUnavailable` if `new` cannot replace `current`."""

    @abstractmethod
    async def _install(self, current: ModelFolder | None, new: ModelFolder) -> None:
        """Load `new` into a server. After a failure it is unknown what is being served."""

    async def _exchange(self, new: ModelFolder, path: Path) -> None:
        """Load weights into the running server, which finds them at `path`."""
        loaded = await self.server.load(path, new.version)
        if not loaded.success:
            raise ModelUnavailable(new.path, f"SGLang did not load it: {loaded.message}")

    async def _verify(self, new: ModelFolder) -> None:
        """Check that it reports this version and computes what the trainer computed."""
        reported = (await self.server.model_info()).weight_version
        if reported != new.version:
            raise ModelUnavailable(new.path, f"SGLang serves {reported!r} instead")
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

    async def _restore(self, old: ModelFolder | None) -> None:
        if old is None:
            return
        try:
            await self._install(None, old)
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
        """Open what is needed before the first `serve`; `stack` closes it."""

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)
