"""A hook of MkDocs: all pages in one text, `llms-full.txt`, in the order of the navigation."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

NAME = "llms-full.txt"
INCLUDES = "--8<--"  # pages that are only another file


def on_post_build(config: Mapping[str, Any], **_: object) -> None:
    """Write it beside the pages."""
    text = whole_text(Path(config["docs_dir"]), config["nav"])
    (Path(config["site_dir"]) / NAME).write_text(text)


def whole_text(docs: Path, nav: Sequence[Any]) -> str:
    """All pages, each below a line with its name."""
    pages = [(name, (docs / name).read_text().strip()) for name in names_in(nav)]
    return "\n\n".join(f"<!-- {name} -->\n\n{text}" for name, text in pages if not _is_link(text))


def names_in(nav: Sequence[Any]) -> Iterator[str]:
    """The files of a navigation: names, and titles with a name or a navigation of their own."""
    for entry in nav:
        content = next(iter(entry.values())) if isinstance(entry, Mapping) else entry
        if isinstance(content, str):
            yield content
        else:
            yield from names_in(content)


def _is_link(text: str) -> bool:
    return text.startswith(INCLUDES)
