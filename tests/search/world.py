"""Searches in one process: the scripted models, a plain interpreter for their trusted programs, and
a real store. `delay` gives the seconds that each reply takes, and so decides their order."""

import contextlib
import io
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trio

from rstar_async import demo
from rstar_async.config import ExecutionConfig, SearchConfig
from rstar_async.errors import JobFailed
from rstar_async.search.models import ActiveModels
from rstar_async.search.pools import Pools
from rstar_async.search.runner import SearchPlan, SearchRunner
from rstar_async.text.encoding import Encoder
from rstar_async.wire.payloads import Execute, Executed, Generate, Score
from storage import queries
from storage.records import Problem, Round, Run, Search
from storage.store import Store, open_store
from tests.search.scripted import EqualText
from workers.engines.base import Engine
from workers.engines.scripted import ScriptedEngine, ScriptedScorer

TOKENIZER = Path(demo.__file__).parent / "checkpoint" / "tokenizer.json"
POLICY, PPM = "policy", "ppm"
QUESTION = "What is 3 + 4 + 5?"


class InProcess:
    """All three pools. After `fail_at` requests, if that is set, all others fail."""

    def __init__(
        self,
        models: Path,
        delay: Callable[[], float] = lambda: 0.0,
        engine: Engine | None = None,
    ) -> None:
        self._engine = engine or ScriptedEngine(models)
        self._scorer = ScriptedScorer(models)
        self._delay = delay
        self.asked = 0
        self.fail_at: int | None = None
        self.most_at_once = self._under_way = 0

    async def request(self, payload: Any, reply: type, **_: object) -> Any:
        self.asked += 1
        if self.fail_at is not None and self.asked > self.fail_at:
            raise JobFailed("error", "no worker")
        await trio.sleep(self._delay())
        if isinstance(payload, Execute):
            return run(payload)
        if isinstance(payload, Score):
            return await self._scorer.score(payload)
        assert isinstance(payload, Generate)
        self._under_way += 1
        self.most_at_once = max(self.most_at_once, self._under_way)
        try:
            await trio.sleep(self._delay())
            return await self._engine.generate(payload)
        finally:
            self._under_way -= 1

    def cancel_group(self, group: str) -> None:
        pass


def run(job: Execute) -> Executed:
    """Executes trusted programs without a sandbox."""
    names: dict[str, object] = {}
    printed = io.StringIO()
    for number, step in enumerate(job.steps):
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed):
                exec(step, names)
        except Exception as error:
            return Executed("exception", error_type=type(error).__name__, step=number)
    return Executed("ok", stdout=printed.getvalue(), cpu_seconds=0.25)


def models_in(folder: Path) -> Path:
    """Model versions with what the scripted engine reads of them: a tokenizer."""
    for name in (POLICY, PPM):
        (folder / name).mkdir(parents=True)
        shutil.copy(TOKENIZER, folder / name)
    return folder


def plan(models: Path, *, ppm: bool = False, **changes: Any) -> SearchPlan:
    """A plan with these search settings; `bounds` and `unsolved_rollouts` are the plan's own."""
    own = {name: changes.pop(name) for name in ("bounds", "unsolved_rollouts") if name in changes}
    settings = SearchConfig(**{"rollouts": 6, "candidates": 3, "max_tokens": 64, **changes})
    encoder = Encoder.load(models / POLICY, "tagged")
    active = ActiveModels(POLICY, PPM if ppm else None, encoder)
    return SearchPlan(active, settings, ExecutionConfig(), "truth", **own)


@asynccontextmanager
async def store_with(
    path: Path, search_id: str = "s", answer: str = "12", seed: int = 1
) -> AsyncIterator[tuple[Store, Search, Problem]]:
    """A store with one problem, and with a search that may have begun."""
    problem = Problem("p", "run", QUESTION, answer)
    async with open_store(f"sqlite:///{path}") as store:
        await store.commit(Run("run", {}, 1, "test"), problem, Round("run", 1, "searching", POLICY))
        await store.commit(Search(search_id, "run", 1, "p", "train", seed, POLICY))
        search = await store.read(queries.search_by_id, search_id)
        assert search is not None
        yield store, search, problem


def runner_of(pools: InProcess, store: Store, now: Callable[[], float] = time.time) -> SearchRunner:
    return SearchRunner(Pools(pools, pools, pools), store, EqualText(), now)  # type: ignore[arg-type]
