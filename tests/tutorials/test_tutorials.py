"""The tutorials and their pages. `make tutorials` runs all of them."""

import pytest

from scripts.tutorial_pages import PAGES, ROOT, TUTORIALS, cells, markdown_of, page

NAMES = [tutorial.stem for tutorial in TUTORIALS]


@pytest.mark.parametrize("tutorial", TUTORIALS, ids=NAMES)
def test_the_page_of_a_tutorial_has_its_cells(tutorial):
    text = (PAGES / f"{tutorial.stem}.md").read_text()
    said = f"run: python -m scripts.tutorial_pages {tutorial.stem[0]}"
    for source in cells(tutorial):
        assert (markdown_of(source) or source) in text, said


def test_every_page_is_in_the_navigation_and_for_machines():
    for name in NAMES:
        assert f": tutorials/{name}.md\n" in (ROOT / "mkdocs.yml").read_text()
        assert f"(tutorials/{name}.md)" in (ROOT / "docs" / "llms.txt").read_text()


def test_a_page_shows_programs_with_what_they_came_to(tmp_path):
    notebook = tmp_path / "n.py"
    notebook.write_text(
        "@app.cell\ndef _():\n    import marimo as mo\n    mo.md('# Title')\n    return (mo,)\n\n\n"
        "@app.cell\ndef _():\n    x = 2\n    x + 1\n    return (x,)\n"
    )
    text = page(notebook, [None, 3])
    assert text.startswith("# Title\n")
    assert text.endswith("```python\nx = 2\nx + 1\n```\n\n```text\n3\n```\n")
