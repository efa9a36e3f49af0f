"""The README and the documentation: short enough, links that lead somewhere, verbs that exist."""

import re
from pathlib import Path

import pytest

from rstar_async.cli.main import VERBS
from rstar_async.config.reference import settings

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
LINK = re.compile(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)")
COMMAND = re.compile(r"(?:^|`)(?:\.venv/bin/)?rstar ([a-z]+)", re.MULTILINE)
OPTION = re.compile(r"--([a-z_]+\.[a-z_]+(?:\.[a-z_]+)?)\b")


def test_the_readme_has_at_most_900_words():
    assert len((ROOT / "README.md").read_text().split()) <= 900


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page):
    targets = LINK.findall(page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_and_settings_in_documents_exist(page):
    text = page.read_text()
    known = {setting.name for setting in settings()}
    assert set(COMMAND.findall(text)) <= VERBS.keys() | {"help"}
    assert {
        o for o in OPTION.findall(text) if not o.startswith(("workers.options", "section."))
    } <= known


def test_every_page_is_in_the_navigation_and_for_machines():
    site, machines = (ROOT / name for name in ("mkdocs.yml", "docs/llms.txt"))
    for page in (ROOT / "docs").glob("*.md"):
        assert f": {page.name}\n" in site.read_text()
    assert [t for t in LINK.findall(machines.read_text()) if not (ROOT / "docs" / t).exists()] == []
