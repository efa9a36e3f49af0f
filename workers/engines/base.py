"""What every engine promises; imports nothing heavy.

An engine answers each request by exactly the model version that the request names: the folder
`models_dir/<version>`. If that version is not loaded, the requests already begun on the old one are
finished first, then the new one is loaded; a version that cannot be loaded fails its own requests
with `ModelUnavailable` and leaves the old weights in place. How else a request can fail is in
`rstar_async.engines.errors`.
"""

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import msgspec

from rstar_async.wire.payloads import Generate, Generated, Score, Scored


class Statistics(msgspec.Struct, frozen=True):
    """Counts since the engine was opened, and its state now.

    `prompt_tokens` counts a request's prompt once however many samples it has; `cached_tokens` of
    them were not computed because the prefix cache had them. `versions` are those in memory.
    """

    versions: tuple[str, ...] = ()
    running_samples: int = 0
    waiting_requests: int = 0
    requests: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    new_tokens: int = 0
    cache_bytes: int = 0
    busy_seconds: float = 0.0

    def totals(self) -> dict[str, int | float]:
        """The counts, as fields of a log line."""
        return {
            "requests": self.requests,
            "prompt_tokens": self.prompt_tokens,
            "cached_tokens": self.cached_tokens,
            "cached_share": round(self.cached_tokens / max(1, self.prompt_tokens), 3),
            "new_tokens": self.new_tokens,
        }


@dataclass
class Counters:
    """What an engine counts as it answers."""

    requests: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    new_tokens: int = 0

    def count(self, prompt: int, cached: int, new: int = 0) -> None:
        """One answered request."""
        self.requests += 1
        self.prompt_tokens += prompt
        self.cached_tokens += cached
        self.new_tokens += new


class _ServesModels(Protocol):
    """What both kinds share: an async context manager that opens and closes the engine."""

    @property
    def models_dir(self) -> Path: ...
    def statistics(self) -> Statistics: ...
    async def __aenter__(self) -> Self: ...
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Engine(_ServesModels, Protocol):
    """Continues prompts. Any number of requests may be in flight; cancelling one drops it."""

    async def generate(self, request: Generate) -> Generated: ...


class Scorer(_ServesModels, Protocol):
    """Scores steps with a PPM: raw head outputs at the last token of `prefix + step`."""

    async def score(self, request: Score) -> Scored: ...
