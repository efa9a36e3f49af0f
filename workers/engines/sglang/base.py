"""What the engine and the scorer have in common: a deployment, the version lock, counters."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import trio

from rstar_async.engines.errors import Interrupted
from workers.engines.base import Counters, Statistics
from workers.engines.checkpoint import model_folder
from workers.engines.sglang.deployment import Deployment
from workers.engines.sglang.model_folder import ModelFolder, read_model_folder
from workers.engines.sglang.version_lock import VersionLock


class SGLangBase:
    """`first` is a version to serve at once, before any job names one."""

    def __init__(
        self,
        models_dir: Path,
        deployment: Deployment,
        check: Callable[[Path], None],
        first: str = "",
    ) -> None:
        self.models_dir = models_dir
        self.deployment = deployment
        self.counters = Counters()
        self._check = check
        self._first = first
        self._in_flight = 0
        self._versions: VersionLock[ModelFolder] = VersionLock(self._serve)

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.deployment)
            nursery = await stack.enter_async_context(trio.open_nursery())
            stack.callback(nursery.cancel_scope.cancel)
            nursery.start_soon(self._versions.run)
            if self._first:
                async with self._versions.use(self._first):
                    pass
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)

    def statistics(self) -> Statistics:
        """What went through this engine; the server does not report what its cache holds."""
        version = self._versions.version
        return Statistics(
            versions=(version,) if version else (),
            running_samples=self._in_flight,
            waiting_requests=self._versions.waiting,
            requests=self.counters.requests,
            prompt_tokens=self.counters.prompt_tokens,
            cached_tokens=self.counters.cached_tokens,
            new_tokens=self.counters.new_tokens,
        )

    def _check_versions(self, wanted: str, seen: set[str]) -> None:
        """Another client may have exchanged the weights of a server that is shared."""
        if seen != {wanted}:
            self._versions.invalidate()
            raise Interrupted(f"SGLang computed with {', '.join(sorted(seen))}, not {wanted}")

    async def _serve(self, version: str) -> ModelFolder:
        path = model_folder(self.models_dir, version)
        self._check(path)
        wanted = read_model_folder(path, version)
        self._check_tensors(wanted)
        await self.deployment.serve(wanted)
        return wanted

    def _check_tensors(self, model: ModelFolder) -> None:
        """Raise `ModelUnavailable` for weights that the server would load and compute wrongly."""
