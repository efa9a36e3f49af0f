"""The table in a page: everything between two markers is replaced."""

from pathlib import Path

from benchmarks.report import Document, markdown, where
from rstar_async.errors import BadInput

BEGIN = "<!-- python -m benchmarks.gpu: begin -->"
END = "<!-- python -m benchmarks.gpu: end -->"


def with_table(page: str, document: Document) -> str:
    """`page` with this table between its markers; `BadInput` if it has not both, once each."""
    if (page.count(BEGIN), page.count(END)) != (1, 1) or page.index(BEGIN) > page.index(END):
        raise BadInput(f"the page must have the lines {BEGIN} and {END}, once each")
    before, after = page.split(BEGIN)[0], page.split(END)[1]
    table = [BEGIN, "", where(document), "", *markdown(document), END]
    return before + "\n".join(table) + after


def write_table(file: Path, document: Document) -> None:
    """Replace the table of the page in `file`."""
    file.write_text(with_table(file.read_text(), document))
