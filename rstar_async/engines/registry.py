"""The registry of engines that recipes, the launcher and workers read.

An engine is one `EngineSpec` in `BUILT_IN` and its code under `workers/engines/`. A package outside
adds one by an entry point of the group `rstar_async.engines` whose value is an `EngineSpec`:

    [project.entry-points."rstar_async.engines"]
    mine = "my_package:SPEC"

A spec names code as "module:attribute"; only the worker process that opens the engine imports it.
"""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import TypeAlias

from rstar_async.config import Recipe
from rstar_async.engines.sglang_servers import ModelPool, Server, servers_of
from rstar_async.errors import BadInput

GROUP = "rstar_async.engines"

Options: TypeAlias = Mapping[str, object]
WorkerOptions: TypeAlias = Callable[[Recipe, ModelPool], list[Options]]


def one_set_per_worker(recipe: Recipe, pool: ModelPool) -> list[Options]:
    """`workers.options` for each of `workers.inference` or `workers.reward` processes."""
    count = recipe.workers.inference if pool == "inference" else recipe.workers.reward
    return [further_options(recipe, pool)] * count


def further_options(recipe: Recipe, pool: ModelPool) -> Options:
    """`workers.options`, which are those of `workers.engine` and no other engine."""
    workers = recipe.workers
    return workers.options if engine_name(recipe, pool) == workers.engine else {}


@dataclass(frozen=True, kw_only=True)
class EngineSpec:
    """What an engine serves and how its workers are started.

    `generator` and `scorer` each name a callable that is given the folder of model versions and the
    engine's settings, and returns a `workers.engines.base.Engine` or `Scorer`; "" if the engine
    does not serve that pool. `settings` names the `msgspec.Struct` of those settings; each of its
    fields is an option of the worker's command line. `worker_options` says which workers a recipe
    asks for: one mapping of options for each.
    """

    name: str
    summary: str
    generator: str = ""
    scorer: str = ""
    settings: str = ""
    worker_options: WorkerOptions = one_set_per_worker
    # Whether workers can load the versions that a run's trainer publishes.
    loads_versions: bool = True
    # How long a worker may take to stop.
    grace_seconds: float = 8.0

    def opener(self, pool: ModelPool) -> str:
        """What serves `pool`, or "" if this engine does not."""
        return self.generator if pool == "inference" else self.scorer


def _local(recipe: Recipe, pool: ModelPool) -> list[Options]:
    settings = recipe.workers
    own = {
        "cache_mib": settings.cache_mib,
        "dtype": recipe.model.dtype,
        "threads": settings.threads,
    }
    return [{**own, **options} for options in one_set_per_worker(recipe, pool)]


def _sglang(recipe: Recipe, pool: ModelPool) -> list[Options]:
    further = further_options(recipe, pool)
    return [{**_server_options(recipe, s), **further} for s in servers_of(recipe, pool)]


def _server_options(recipe: Recipe, server: Server) -> Options:
    if not server.is_ours:
        return {"url": server.url}
    launch = {"launch": recipe.sglang.launch} if recipe.sglang.launch else {}
    return {**launch, "port": server.port, "server_arguments": server.arguments}


def _openai(recipe: Recipe, pool: ModelPool) -> list[Options]:
    server = recipe.openai
    if not server.url.startswith(("http://", "https://")):
        given = f"is {server.url!r}" if server.url else "is not set"
        raise BadInput(
            f"openai.url {given}; the engine openai needs an address, such as "
            "--openai.url http://host:8000/v1"
        )
    own = {
        "url": server.url,
        "served_as": server.model,
        "api_key_env": server.api_key_env,
        "prompts": server.prompts,
    }
    return [{**own, **options} for options in one_set_per_worker(recipe, pool)]


BUILT_IN = (
    EngineSpec(
        name="local",
        summary="transformers in the worker, on the CPU or one GPU",
        generator="workers.engines.local.engine:LocalEngine",
        scorer="workers.engines.local.scorer:LocalScorer",
        settings="workers.engines.local.settings:LocalSettings",
        worker_options=_local,
    ),
    EngineSpec(
        name="sglang",
        summary="SGLang servers, started by the workers or running already",
        generator="workers.engines.sglang.engine:open_engine",
        scorer="workers.engines.sglang.scorer:open_scorer",
        settings="workers.engines.sglang.settings:SGLangSettings",
        worker_options=_sglang,
        grace_seconds=14.0,  # the worker gives its server ten seconds to stop
    ),
    EngineSpec(
        name="openai",
        summary="a server with OpenAI's /completions: vLLM, llama.cpp, a hosted model",
        generator="workers.engines.openai:OpenAIEngine",
        settings="workers.engines.openai:OpenAISettings",
        worker_options=_openai,
        loads_versions=False,
    ),
    EngineSpec(
        name="scripted",
        summary="follows a script and needs no weights; for tests and benchmarks",
        generator="workers.engines.scripted:ScriptedEngine",
        scorer="workers.engines.scripted:ScriptedScorer",
        settings="workers.engines.scripted:ScriptedSettings",
    ),
)


def engine_name(recipe: Recipe, pool: ModelPool) -> str:
    """The name of the engine that serves `pool`."""
    workers = recipe.workers
    return workers.engine if pool == "inference" else workers.reward_engine or workers.engine


def find_engine(name: str) -> EngineSpec:
    """The engine of this name; `BadInput` lists the known ones if there is none."""
    for spec in BUILT_IN:
        if spec.name == name:
            return spec
    outside = entry_points(group=GROUP, name=name)
    if not outside:
        raise BadInput(f"there is no engine {name!r}{_suggestion(name)}")
    entry = next(iter(outside))
    try:
        spec = entry.load()
    except Exception as error:  # code of others, imported here
        raise BadInput(
            f"the engine {name!r} ({entry.value}) cannot be imported: {error}"
        ) from error
    if not isinstance(spec, EngineSpec) or spec.name != name:
        raise BadInput(f"the entry point {entry.value} is not the EngineSpec of {name!r}")
    return spec


def engine_names() -> list[str]:
    """All engines, those of packages outside last; imports none of them."""
    built_in = [spec.name for spec in BUILT_IN]
    outside = sorted({entry.name for entry in entry_points(group=GROUP)} - {*built_in})
    return [*built_in, *outside]


def _suggestion(name: str) -> str:
    names = engine_names()
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(names)}"
