"""Runs the tutorials and writes them with their outputs as pages of the documentation.

`python -m scripts.tutorial_pages [NUMBER ...]` writes docs/tutorials/, all pages without numbers.
"""

import ast
import importlib.util
import sys
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path
from pprint import pformat
from textwrap import dedent
from typing import Any

ROOT = Path(__file__).parents[1]
TUTORIALS = sorted((ROOT / "tutorials").glob("*.py"))
PAGES = ROOT / "docs" / "tutorials"
WIDTH = 96
NOTE = "The notebook `tutorials/{name}`, executed: `marimo edit tutorials/{name}` opens it."


def main(numbers: list[str]) -> None:
    """Write the pages of these tutorials, or of all."""
    PAGES.mkdir(exist_ok=True)
    for tutorial in TUTORIALS:
        if not numbers or tutorial.stem.split("_")[0] in numbers:
            (PAGES / f"{tutorial.stem}.md").write_text(page(tutorial, outputs_of(tutorial)))
            print(tutorial.stem)


def outputs_of(tutorial: Path) -> list[Any]:
    """The value of every cell's last expression, in the order of the cells."""
    spec = importlib.util.spec_from_file_location(tutorial.stem, tutorial)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    outputs, _ = module.app.run()
    return list(outputs)


def page(tutorial: Path, outputs: list[Any]) -> str:
    """Texts as they are; programs and what they came to as blocks."""
    parts: list[str] = []
    for source, output in zip(cells(tutorial), outputs, strict=True):
        text = markdown_of(source)
        if text is not None:
            parts.append(text)
            continue
        parts.append(f"```python\n{source}\n```")
        if output is not None:
            parts.append(f"```text\n{as_text(output)}\n```")
    return "\n\n".join([parts[0], NOTE.format(name=tutorial.name), *parts[1:]]) + "\n"


def as_text(output: Any) -> str:
    """A text as it is, anything else as Python shows it; without spaces at the ends of lines."""
    shown = output if isinstance(output, str) else pformat(output, width=WIDTH)
    return "\n".join(line.rstrip() for line in shown.strip().splitlines())


def cells(tutorial: Path) -> Iterator[str]:
    """The source of every cell, without the line by which marimo passes names on."""
    text = tutorial.read_text()
    for function in ast.parse(text).body:
        if isinstance(function, ast.FunctionDef):
            body = [line for line in function.body if not isinstance(line, ast.Return)]
            lines = text.splitlines()[body[0].lineno - 1 : body[-1].end_lineno]
            yield dedent("\n".join(lines))


def markdown_of(source: str) -> str | None:
    """The text of a cell that is nothing but `mo.md(…)`, perhaps after an import."""
    last = ast.parse(source).body[-1]
    if not isinstance(last, ast.Expr) or not isinstance(last.value, ast.Call):
        return None
    call = last.value
    if ast.unparse(call.func) != "mo.md":
        return None
    return cleandoc(ast.literal_eval(call.args[0]))


if __name__ == "__main__":
    main(sys.argv[1:])
