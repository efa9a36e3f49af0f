"""Every page at the widths of a phone, a tablet and a desk, against stored pictures.

RSTAR_UPDATE_SCREENSHOTS=1 stores what they look like now; look at them before you commit them.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from rstar_async.reports.gather import gather
from rstar_async.reports.page import page_of
from storage.database import open_database
from tests.view import generated, pictures
from tests.view.conftest import serving
from tests.view.generated import RUN

pytestmark = pytest.mark.slow

UPDATE = os.environ.get("RSTAR_UPDATE_SCREENSHOTS") == "1"
WIDTHS = (360, 1024, 1360)
HEIGHT = 800
# What follows a new size or new content is painted within a few frames.
FRAMES = """() => new Promise(done => {
  const next = left => left ? requestAnimationFrame(() => next(left - 1)) : done()
  next(6)
})"""
PAGES = {
    "rounds": "rounds",
    "problems": "problems?order=tokens",
    "tree": "search/r1-000003",
    "tree-siblings": "search/r1-000003/0.1?tab=siblings",
    "solutions": "solutions?round=1",
    "pairs": "pairs?round=1",
    "mistakes": "mistakes?round=1",
    "models": "models",
    "time": "time",
    "errors": "errors?round=1",
    "recipe": "recipe",
    "answers": "answers/policy-1",
    "workers": "workers",
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two runs, which are always the same."""
    folder = tmp_path_factory.mktemp("runs")
    for name, problems in (("long", 12), ("short", 6)):
        (folder / name).mkdir()
        with open_database(str(folder / name / "rstar.db")) as database:
            generated.fill(database, 2, problems, 40)
            database.commit(generated.judged_ppm(database))
    return folder


@pytest.fixture(scope="module")
def report(runs: Path) -> str:
    with open_database(str(runs / "long" / "rstar.db")) as database:
        (runs / "report.html").write_text(page_of(gather(database, RUN, "rstar.db", None)))
    return (runs / "report.html").as_uri()


@pytest.fixture(scope="module")
def served(runs: Path) -> Iterator[str]:
    with serving(runs, f"{runs}: 2 runs") as address:
        yield address


@pytest.fixture(scope="module")
def page(browser):
    context = browser.new_context(timezone_id="UTC", locale="en", reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(90_000)
    yield page
    context.close()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_a_run_looks_as_it_did(page, served, name):
    for width in widths(page):
        # A tree is arranged for the window that it is opened in; the others follow the window.
        if width == WIDTHS[0] or name.startswith("tree"):
            visit(page, f"{served}run/long/#/{RUN}/{PAGES[name]}")
        assert page.locator("h1").count() == 1
        check(page, name)


def test_the_folder_of_runs_looks_as_it_did(page, served):
    for width in widths(page):
        if width == WIDTHS[0]:
            visit(page, f"{served}#long/short")
            page.wait_for_selector(".comparison .chart")
            # The name of the folder is another one each time.
            page.locator("#bar .run").evaluate("it => { it.textContent = 'runs' }")
        check(page, "runs")


def test_the_report_looks_as_it_did_and_no_table_is_cut(page, report):
    page.goto(report)
    for _ in widths(page):
        check(page, "report")
    cut = "it => it.filter(table => table.scrollWidth > table.clientWidth).length"
    assert page.locator("table").evaluate_all(cut) == 0
    headings = page.locator("h2, h3").all_text_contents()
    assert [name for name in set(headings) if headings.count(name) > 1] == []


def widths(page) -> Iterator[int]:
    """Each width in turn, the narrowest first; the window has it."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": HEIGHT})
        yield width


def visit(page, address: str) -> None:
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_selector("#main[data-ready]")
    if "/search/" in address:
        page.wait_for_selector(".detail-body[data-path]")


def check(page, name: str) -> None:
    """Nothing is wider than the window, and the picture is like the stored one."""
    page.evaluate(FRAMES)
    width = page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    now = pictures.small(page.screenshot())
    stored = pictures.FOLDER / f"{name}-{width}.png"
    if UPDATE:
        pictures.save(now, stored)
    apart = pictures.difference(now, pictures.load(stored))
    assert apart <= pictures.ALIKE, f"{stored.name}: {apart:.2f} apart"
