"""`python -m benchmarks.prefix_cache --engine local|sglang`: what the prefix cache serves.

A real search by the demo's policy over generated problems, with the cache and without. `reachable`
are the prompt tokens that an earlier request had computed: all of the parent's prompt and the step
but its last token; a perfect cache serves all of them. `prefilled` are those that were computed.
SGLang is what `--launch` starts ({model} and {port} in it), else the one installed here.
"""

import argparse
import dataclasses
import shlex
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import trio

from benchmarks.one_process import recipe_in, search_all
from benchmarks.report import Report, open_report
from rstar_async.config import Recipe, SearchConfig
from storage import queries
from storage.database import open_database
from storage.records import Expansion
from workers.engines.base import Engine
from workers.engines.local.engine import LocalEngine
from workers.engines.local.settings import LocalSettings
from workers.engines.sglang.command import INSTALLED, Command
from workers.engines.sglang.engine import SGLangEngine
from workers.engines.sglang.managed import ManagedServer
from workers.engines.sglang.role import POLICY

SEARCH = SearchConfig(
    rollouts=8, candidates=4, max_depth=12, max_tokens=40, temperature=1.0, in_flight=16
)
TARGET_SHARE = 0.95
CACHE_MIB = 512


@dataclasses.dataclass(frozen=True)
class Spent:
    """Prompt tokens of one search of all problems, and what else it took."""

    requests: int
    prompt: int
    reachable: int
    cached: int
    prefilled: int
    new: int
    generating: float
    seconds: float


def main(arguments: list[str] | None = None) -> int:
    """Search with the cache, search without, compare."""
    report = open_report(__doc__, arguments, _options())
    served = _measure(report, "on")
    bare = _measure(report, "off")
    report.claim(
        "reachable tokens served from cache",
        served.cached / served.reachable,
        "share",
        ">=",
        TARGET_SHARE,
    )
    per_prompt = served.prefilled / served.prompt, bare.prefilled / bare.prompt
    report.claim("tokens prefilled, off / on", per_prompt[1] / per_prompt[0], "times", ">", 2)
    rates = served.new / served.generating, bare.new / bare.generating
    report.row(cache="ratio on / off", new_tokens_per_second=rates[0] / rates[1])
    return report.close()


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.prefix_cache")
    parser.add_argument("--engine", choices=("local", "sglang"), default="local")
    parser.add_argument("--launch", default=INSTALLED, help="what starts SGLang")
    parser.add_argument("--arguments", default="", help="more of them for SGLang, as one string")
    parser.add_argument("--problems", type=int, default=0, help="default: 24, with --short 8")
    return parser


def _measure(report: Report, cache: str) -> Spent:
    problems = report.options.problems or (8 if report.short else 24)
    with tempfile.TemporaryDirectory(prefix="rstar-prefix-") as folder:
        recipe = recipe_in(Path(folder), problems, SEARCH)
        seconds = trio.run(search_all, recipe, _engine(report.options, cache))
        shared = report.options.engine == "local" or cache == "on"
        spent = spent_in(recipe, seconds, shared=shared)
    report.row(cache=cache, engine=report.options.engine, **dataclasses.asdict(spent))
    return spent


def _engine(options: argparse.Namespace, cache: str) -> Callable[[Path], Engine]:
    if options.engine == "local":
        mib = CACHE_MIB if cache == "on" else 0
        return lambda models: LocalEngine(models, LocalSettings(cache_mib=mib, threads=1))
    off = () if cache == "on" else ("--disable-radix-cache",)
    command = Command(options.launch, (*shlex.split(options.arguments), *off))
    return lambda models: SGLangEngine(models, ManagedServer(POLICY, command), "policy")


def spent_in(recipe: Recipe, seconds: float, *, shared: bool) -> Spent:
    """What is in the store; `shared` says whether samples of a request share its prompt."""
    with open_database(recipe.database_url, must_exist=True) as database:
        searches = database.read(queries.searches_of, recipe.name, 1)
        rows = [row for s in searches for row in database.read(queries.expansions_of, s.id)]
    return Spent(
        requests=len(rows),
        prompt=sum(row.prompt_tokens for row in rows),
        reachable=sum(row.reachable_tokens for row in rows),
        cached=sum(row.cached_tokens for row in rows),
        prefilled=sum(_prefilled(row, shared) for row in rows),
        new=sum(row.new_tokens for row in rows),
        generating=sum(row.generate_seconds for row in rows),
        seconds=seconds,
    )


def _prefilled(row: Expansion, shared: bool) -> int:
    """The samples of a request share its prompt, but not in an SGLang that has no cache."""
    return (row.prompt_tokens - row.cached_tokens) * (1 if shared else row.samples)


if __name__ == "__main__":
    sys.exit(main())
