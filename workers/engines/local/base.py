"""What the local engine and the local scorer have in common: a folder, a device, a torch thread."""

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Generic, Self

from workers.engines.base import Counters, Statistics
from workers.engines.checkpoint import model_folder
from workers.engines.local.loader import pick_device, pick_dtype
from workers.engines.local.sequence import Reply, Request
from workers.engines.local.settings import LocalSettings
from workers.engines.local.thread import TorchThread
from workers.engines.local.versions import LoadedModel, ModelManager


class LocalBase(Generic[Request, Reply]):
    """Opens and closes the torch thread; refuses bad model folders before anything is drained."""

    def __init__(
        self,
        models_dir: Path,
        load: Callable[[str], LoadedModel[Request, Reply]],
        check: Callable[[Path], None],
        settings: LocalSettings,
    ) -> None:
        self.models_dir = models_dir
        self.settings = settings
        self.device = pick_device(settings.device)
        self.dtype = pick_dtype(settings.dtype, self.device)
        self.counters = Counters()
        self._check = check
        self._models: ModelManager[Request, Reply] = ModelManager(load, settings.models_in_memory)
        self._thread = TorchThread(self._models, type(self).__name__, settings.threads)

    async def __aenter__(self) -> Self:
        self._thread.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._thread.close()

    def statistics(self) -> Statistics:
        """A snapshot; may be taken from any thread at any time."""
        activity = self._models.activity()
        return Statistics(
            versions=self._models.versions,
            running_samples=activity.samples,
            waiting_requests=activity.waiting,
            requests=self.counters.requests,
            prompt_tokens=self.counters.prompt_tokens,
            cached_tokens=self.counters.cached_tokens,
            new_tokens=self.counters.new_tokens,
            cache_bytes=activity.cache_bytes,
            busy_seconds=self._thread.busy_seconds,
        )

    async def _request(self, request: Request) -> Reply:
        if request.model not in self._models.versions:
            self._check(self._folder(request.model))
        return await self._thread.request(request)

    def _folder(self, version: str) -> Path:
        return model_folder(self.models_dir, version)
