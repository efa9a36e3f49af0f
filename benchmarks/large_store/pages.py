"""Every page of `rstar view` over a large store: the first time and the second, at the server; the
first page in a browser too."""

import statistics
import time
from typing import NamedTuple

import httpx

from benchmarks.cpu_meter import tree_cpu_seconds
from benchmarks.large_store.commands import peak_mib
from benchmarks.report import Report
from benchmarks.store.pages import chromium, first_page, served
from rstar_async.config import Recipe
from storage import queries
from storage.database import open_database

TIMES = 5
FIRST_PAGE_MILLISECONDS = 300
PAGE_MILLISECONDS = 1000
TIMEOUT_SECONDS = 600


class Answered(NamedTuple):
    """How long a request took, and the CPU time of the server meanwhile."""

    milliseconds: float
    cpu_milliseconds: float


def measure_pages(report: Report, recipe: Recipe, name: str) -> None:
    """Ask a server that has just started for everything, twice; open the first page in Chromium."""
    slowest: dict[str, float] = {}
    with served(recipe.database_url) as (address, pid):
        _in_chromium(report, address, name)
        for page, path in _pages(recipe).items():
            first, second = (_ask(f"{address}api/{path}", pid) for _ in range(2))
            slowest[page] = first.milliseconds
            report.row(
                what=f"{name}: page {page}",
                first_ms=first.milliseconds,
                second_ms=second.milliseconds,
                cpu_ms=first.cpu_milliseconds,
            )
        peak = peak_mib(pid)
    page = max(slowest, key=lambda page: slowest[page])
    report.claim(
        f"{name}: slowest page, first time ({page})", slowest[page], "ms", "<", PAGE_MILLISECONDS
    )
    report.row(what=f"{name}: rstar view", peak_mib=peak)


def _in_chromium(report: Report, address: str, name: str) -> None:
    with chromium() as browser:
        if browser is None:
            return
        taken = [first_page(browser, address) for _ in range(TIMES)]
    report.row(what=f"{name}: first page", first_ms=taken[0], second_ms=taken[1])
    page = f"{name}: first page in Chromium"
    report.claim(page, statistics.median(taken), "ms", "<", FIRST_PAGE_MILLISECONDS)


def _pages(recipe: Recipe) -> dict[str, str]:
    """The addresses of all endpoints that read the store."""
    run, number = f"runs/{recipe.name}", len(recipe.rounds) - 1
    of_round = f"{run}/rounds/{number}"
    tree, child = _some_tree(recipe, number)
    problems = {
        "by": "",
        "solved late": "?order=late",
        "found late": "?order=found",
        "by tokens": "?order=tokens",
        "by nodes": "?order=nodes",
        "by seconds": "?order=seconds",
        "of a round, unsolved": f"?round={number}&state=unsolved",
        "found by words": "?text=17 + 7",
    }
    ranked = {
        "right, best": "",
        "right, worst": "?order=worst",
        "wrong, worst": "?correct=false&order=worst",
        "wrong, best": "?correct=false&order=best",
    }
    return {
        "runs and the newest one": "runs",
        "one run": run,
        "tokens of a closed round": f"{of_round}/tokens",
        "tokens of the round under way": f"{run}/rounds/{number + 1}/tokens",
        "facets": f"{run}/facets",
        **{f"problems {order}": f"{run}/problems{query}" for order, query in problems.items()},
        **{f"solutions {order}": f"{of_round}/solutions{query}" for order, query in ranked.items()},
        "solutions of the round under way": f"{run}/rounds/{number + 1}/solutions",
        "pairs": f"{of_round}/pairs",
        "outcomes of a closed round": f"{of_round}/outcomes",
        "outcomes of the round under way": f"{run}/rounds/{number + 1}/outcomes",
        "time": f"{run}/time",
        "answers": f"{run}/evaluations/policy-{number}-heldout/answers",
        "recipe": f"{run}/recipe",
        "a search": f"searches/{tree}",
        "a tree, 1,000 nodes": f"searches/{tree}/tree",
        "statistics of a tree": f"searches/{tree}/statistics",
        "words in a tree": f"searches/{tree}/find?text=divisor",
        "a node and the way to it": f"searches/{tree}/nodes/{child}",
        "children of a node": f"searches/{tree}/nodes/{child}/children",
    }


def _some_tree(recipe: Recipe, number: int) -> tuple[str, str]:
    """A finished search of a round, and a node of its tree that has children."""
    with open_database(recipe.database_url) as database:
        searches = database.read(queries.searches_of, recipe.name, number, "train", "finished")
        tree = searches[len(searches) // 2].id
        return tree, database.read(queries.expansions_of, tree)[1].path


def _ask(address: str, pid: int) -> Answered:
    cpu, started = tree_cpu_seconds(pid), time.perf_counter()
    httpx.get(address, timeout=TIMEOUT_SECONDS).raise_for_status()
    taken = time.perf_counter() - started
    return Answered(1000 * taken, 1000 * (tree_cpu_seconds(pid) - cpu))
