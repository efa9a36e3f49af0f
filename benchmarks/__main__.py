"""`python -m benchmarks`: all of them, short, into benchmarks/RESULTS.md; exit 1 if a claim fails.

Each runs in a process of its own, one after another, so that none disturbs or outlives itself.
"""

import subprocess
import sys
from datetime import date
from pathlib import Path

import msgspec

from benchmarks.report import Document, markdown, where

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "RESULTS.md"
LIMIT_SECONDS = 1800.0


class Result(msgspec.Struct, frozen=True):
    """One benchmark's run; `document` is absent if it did not come to its end."""

    name: str
    exit_code: int
    document: Document | None
    complaint: str = ""


def main() -> int:
    """Run all, write the page, name what does not hold."""
    results = [_run(name) for name in names()]
    RESULTS.write_text(page(results))
    print(f"wrote {RESULTS}")
    failed = [result.name for result in results if result.exit_code != 0]
    if failed:
        print(f"does not hold: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def names() -> list[str]:
    """The modules and packages here that have a `main()`, found without importing them."""
    modules = {module.stem: module for module in FOLDER.glob("[!_]*.py")}
    modules |= {module.parent.name: module for module in FOLDER.glob("*/__main__.py")}
    return sorted(name for name, file in modules.items() if "\ndef main(" in file.read_text())


def page(results: list[Result]) -> str:
    """The results as Markdown."""
    head = ["# Benchmarks", "", f"Short form, {date.today().isoformat()}: `make bench`.", ""]
    return "\n".join(head + [line for result in results for line in _section(result)])


def _run(name: str) -> Result:
    command = [sys.executable, "-m", f"benchmarks.{name}", "--short", "--json"]
    print(f"$ python {' '.join(command[1:])}", flush=True)
    try:
        done = subprocess.run(command, capture_output=True, timeout=LIMIT_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return Result(name, 1, None, f"not done after {LIMIT_SECONDS:g} s")
    try:
        return Result(name, done.returncode, msgspec.json.decode(done.stdout, type=Document))
    except msgspec.MsgspecError:
        lines = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        return Result(name, done.returncode or 1, None, lines[0] if lines else "printed no JSON")


def _section(result: Result) -> list[str]:
    command = f"`python -m benchmarks.{result.name} --short`"
    if result.document is None:
        return [f"## {result.name}", "", f"{command} failed: {result.complaint}", ""]
    return [
        *(f"## {result.name}", "", f"{command} — {where(result.document)}", ""),
        *markdown(result.document),
    ]


if __name__ == "__main__":
    sys.exit(main())
