"""A store with something of everything, `rstar view` over it as a process, and a real Chromium."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from rstar_async.view.trainings import FILE
from storage.database import Database, open_database
from tests.view import generated
from tests.view.hostile import hostile_records

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
TIMEOUT_MILLISECONDS = 90_000


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Two rounds of twelve small trees, one tree of 10,000 nodes, one hostile, one just begun."""
    file = tmp_path_factory.mktemp("view") / "rstar.db"
    with open_database(str(file)) as database:
        generated.fill(database, 2, 12, 40)
        large = generated.grown("large", 10_000)
        database.commit(generated.search("large", 2, 0), *large.expansions, *large.records())
        database.commit(*hostile_records(), generated.judged_ppm(database))
        yield database


@contextmanager
def serving(folder: Path, title: str) -> Iterator[str]:
    """Where `rstar view` says that it serves the folder, after this title."""
    command = [sys.executable, "-m", "rstar_async.cli", "view", str(folder), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == title
        yield process.stdout.readline().strip()
        process.terminate()
        assert process.wait(90) == 0


@pytest.fixture(scope="session")
def address(store: Database) -> Iterator[str]:
    """Where the store is served, given the folder it lies in."""
    with serving(Path(store.name).parent, store.name) as address:
        yield address


def _chromium() -> str:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.skip("no Chromium is installed (Debian: apt-get install chromium)")
    return found


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    executable = _chromium()
    with api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield started
        started.close()


class Visit:
    """One browser window; what its pages complained about is in `complaints`."""

    def __init__(self, page: Any, address: str) -> None:
        self.page = page
        self.address = address
        self.complaints: list[str] = []
        page.set_default_timeout(TIMEOUT_MILLISECONDS)
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: self.complaints.append(f"dialog {dialog.message}"))

    def open(self, place: str) -> Any:
        """Go to a place such as `/generated/rounds` and wait until it is drawn."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.address}#{place}")
        self.page.wait_for_selector("#main[data-ready]")
        return self.page

    def keys(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)


@pytest.fixture(scope="session")
def training(store: Database) -> Path:
    """The file to which the trainer of the store's run would write each step."""
    file = Path(store.name).parent / FILE
    file.parent.mkdir()
    return file


@pytest.fixture
def visit(browser: Any, address: str, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """Parametrise indirectly with a (width, height) for another window."""
    width, height = getattr(request, "param", (1280, 800))
    context = browser.new_context(viewport={"width": width, "height": height})
    visit = Visit(context.new_page(), address)
    yield visit
    context.close()
    assert visit.complaints == []


@pytest.fixture(scope="session")
def store_file(store: Database) -> Path:
    return Path(store.name)
