"""How long the pages of `rstar view` take over a large store, at the server and in a browser."""

import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from benchmarks.report import Report
from storage.database import open_database
from tests.view import generated

TIMES = 7
TREES = 3
TIMEOUT_MILLISECONDS = 120_000
LARGE, LARGE_TREE = 10_000, "large"
NODES_PER_TREE = 500
RUN = generated.RUN
TREE = "r2-000001"
PAGES = {
    "runs and the newest one": "runs",
    "one run": f"runs/{RUN}",
    "tokens of a round": f"runs/{RUN}/rounds/2/tokens",
    "problems": f"runs/{RUN}/problems",
    "problems, solved late": f"runs/{RUN}/problems?order=late",
    "problems, most tokens": f"runs/{RUN}/problems?order=tokens",
    "problems, found by words": f"runs/{RUN}/problems?text=17 boxes",
    "a tree, 1,000 nodes": f"searches/{TREE}/tree",
    "words in a tree": f"searches/{TREE}/find?text=divisor",
    "a node and the way to it": f"searches/{TREE}/nodes/0.1.1",
    "preference pairs": f"runs/{RUN}/rounds/2/pairs",
    "best solutions": f"runs/{RUN}/rounds/2/solutions",
    "worst wrong solutions": f"runs/{RUN}/rounds/2/solutions?correct=false&order=worst",
}
FLAGS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")


def measure_pages(report: Report, file: Path, nodes: int) -> None:
    """Fill a store (unless it is there), serve it, ask for every page `TIMES` times, and open the
    first in Chromium."""
    if not file.exists():
        _fill(file, nodes)
    with served(str(file)) as (address, _):
        for name, path in PAGES.items():
            taken = [milliseconds(f"{address}api/{path}") for _ in range(TIMES)]
            middle, cold = statistics.median(taken), taken[0]
            report.row(what=f"page: {name}", median_ms=middle, first_ms=cold)
        _in_chromium(report, address, nodes)


def _fill(file: Path, nodes: int) -> None:
    """Under another name until it is complete."""
    draft = file.with_suffix(".draft")
    with open_database(str(draft)) as database:
        problems = max(1, nodes // (generated.ROUNDS * NODES_PER_TREE))
        generated.fill(database, generated.ROUNDS, problems, NODES_PER_TREE)
        large = generated.grown(LARGE_TREE, LARGE)
        search = generated.search(LARGE_TREE, 2, 0)
        database.commit(search, *large.expansions, *large.records())
    draft.rename(file)


def _in_chromium(report: Report, address: str, nodes: int) -> None:
    """The first page, and a large tree; nothing where there is no Chromium or no playwright."""
    with chromium() as browser:
        if browser is None:
            return
        loading = [first_page(browser, address) for _ in range(TIMES)]
        opening, drawing = zip(*(_large_tree(browser, address) for _ in range(TREES)), strict=True)
    for name, taken, most in (
        (f"first page, {nodes:,} nodes", loading, 300),
        (f"redrawing {LARGE:,} nodes", [each for tree in drawing for each in tree], 100),
    ):
        report.row(what=name, median_ms=statistics.median(taken), first_ms=taken[0])
        report.claim(name, statistics.median(taken), "ms", "<", most)
    report.row(what=f"opening {LARGE:,} nodes", median_ms=statistics.median(opening))


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser; None where there is no Chromium or no playwright."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        program = None
    if program is None:
        yield None
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*FLAGS])
        yield browser
        browser.close()


def milliseconds(address: str) -> float:
    """Of one request, until its whole answer is there."""
    started = time.perf_counter()
    httpx.get(address, timeout=120).raise_for_status()
    return 1000 * (time.perf_counter() - started)


def first_page(browser: Any, address: str) -> float:
    """Milliseconds from the start of loading to the curves, with empty caches."""
    with _page(browser, address) as page:
        page.wait_for_selector("#main[data-milliseconds]")
        return float(page.get_attribute("#main", "data-milliseconds"))


def _large_tree(browser: Any, address: str) -> tuple[float, list[float]]:
    """Milliseconds until all nodes of a large tree are there, and of redrawing them."""
    started = time.perf_counter()
    with _page(browser, f"{address}#/{RUN}/search/{LARGE_TREE}") as page:
        page.wait_for_selector(".view[data-loaded]")
        opened = 1000 * (time.perf_counter() - started)
        page.get_by_label("visited only").uncheck()
        page.get_by_label("unfold all").click()
        page.wait_for_selector("canvas.map[data-visible^='10']")
        drawn = []
        for key in ("+", "-", "-", "ArrowDown", "0", "ArrowRight"):
            page.keyboard.press(key)
            page.wait_for_timeout(60)
            drawn.append(float(page.get_attribute("canvas.map", "data-milliseconds")))
        return opened, drawn


@contextmanager
def _page(browser: Any, address: str) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(TIMEOUT_MILLISECONDS)
    page = context.new_page()
    page.goto(address)
    yield page
    context.close()


@contextmanager
def served(location: str) -> Iterator[tuple[str, int]]:
    """A `rstar view` of a store: its address and its process id."""
    command = [sys.executable, "-m", "rstar_async.cli", "view", location, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        server.stdout.readline()
        yield server.stdout.readline().strip(), server.pid
        server.terminate()
