"""How long the pages of `rstar view` take over a large store, at the server and in a browser."""

import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from benchmarks.report import Report
from storage.database import open_database
from tests.view import generated

TIMES = 7
TARGET_MILLISECONDS = 300.0
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


def measure_pages(report: Report, folder: Path, nodes: int) -> None:
    """Fill a store, serve it, ask for every page `TIMES` times, and open the first in Chromium."""
    file = folder / "pages.db"
    with open_database(str(file)) as database:
        problems = max(1, nodes // (generated.ROUNDS * NODES_PER_TREE))
        generated.fill(database, generated.ROUNDS, problems, NODES_PER_TREE)
    with _served(file) as address:
        for name, path in PAGES.items():
            taken = [_milliseconds(f"{address}api/{path}") for _ in range(TIMES)]
            middle, cold = statistics.median(taken), taken[0]
            report.row(what=f"page: {name}", median_ms=middle, first_ms=cold)
        _first_page(report, address, nodes)


def _first_page(report: Report, address: str, nodes: int) -> None:
    name = f"first page, {nodes:,} nodes"
    taken = _in_chromium(address)
    if taken is None:
        report.row(what=f"{name}: no Chromium or no playwright here")
        return
    report.row(what=f"{name}, in Chromium", median_ms=statistics.median(taken), p99_ms=max(taken))
    report.claim(name, statistics.median(taken), "ms", "<", TARGET_MILLISECONDS)


def _milliseconds(address: str) -> float:
    started = time.perf_counter()
    httpx.get(address, timeout=120).raise_for_status()
    return 1000 * (time.perf_counter() - started)


def _in_chromium(address: str) -> list[float] | None:
    """From the start of loading to the curves, each time in a browser window with empty caches."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        chromium = None
    if chromium is None:
        return None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=[*FLAGS])
        taken = [_visit(browser, address) for _ in range(TIMES)]
        browser.close()
    return taken


def _visit(browser: object, address: str) -> float:
    context = browser.new_context()  # type: ignore[attr-defined]
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector("#main[data-milliseconds]")
    taken = float(page.get_attribute("#main", "data-milliseconds"))
    context.close()
    return taken


@contextmanager
def _served(file: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "rstar_async.cli", "view", str(file), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        server.stdout.readline()
        yield server.stdout.readline().strip()
        server.terminate()
