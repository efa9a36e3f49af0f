"""Word problems that people wrote, from a checkout of https://github.com/arkilpatel/SVAMP (MIT).

    git clone --depth 1 https://github.com/arkilpatel/SVAMP
    python -m scripts.word_problems SVAMP data/word_problems

Writes what `recipes/word_problems.toml` reads: 200 solved problems of MAWPS and ASDiv-A with their
equations, 300 held-out ones and the others with their answers alone, and SVAMP as another test. The
split depends on the questions alone. MAWPS repeats itself with other names and numbers, on both
sides of any split; SVAMP does not.
"""

import argparse
import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from rstar_async.data.equations import solution_of_equation
from rstar_async.errors import BadInput
from rstar_async.seeding import digest

DEMONSTRATIONS, HELDOUT = 200, 300
SETS = ("cv_mawps", "cv_asdiv-a")
OPERATIONS = frozenset("+-*/")
TOLERANCE = 1e-3

Row = Mapping[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("folder", type=Path, help="for the files, which are replaced")
    arguments = parser.parse_args()
    files = split(list(problems(read_csvs(arguments.checkout))))
    files["svamp"] = list(svamp(json.loads((arguments.checkout / "SVAMP.json").read_text())))
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for name, rows in files.items():
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (arguments.folder / f"{name}.jsonl").write_text("".join(lines))
        print(f"{name}.jsonl: {len(rows)} problems")


def read_csvs(checkout: Path) -> Iterator[Row]:
    """The rows of MAWPS and ASDiv-A: the test parts of the five folds are a whole set."""
    found = sorted(file for name in SETS for file in checkout.glob(f"data/{name}/fold*/dev.csv"))
    if not found:
        raise SystemExit(f"{checkout} has no data/{SETS[0]}/fold0/dev.csv: is it a checkout?")
    for file in found:
        with file.open(newline="") as lines:
            yield from csv.DictReader(lines)


def problems(rows: Iterable[Row]) -> Iterator[Row]:
    """Question, equation and answer of each row whose equation gives its answer, each once."""
    seen = set()
    for row in rows:
        numbers = [_shown(number) for number in row["Numbers"].split()]
        question = as_written(_filled(row["Question"], numbers))
        equation = _filled(infix(row["Equation"]), numbers)
        if question not in seen and _gives(equation, float(row["Answer"])):
            seen.add(question)
            yield {"question": question, "equation": equation, "answer": _shown(row["Answer"])}


def split(rows: list[Row]) -> dict[str, list[Row]]:
    """Demonstrations keep their equations, the others do not."""
    drawn = sorted(rows, key=lambda row: digest("word problems", row["question"]))
    solved = drawn[:DEMONSTRATIONS]
    unsolved = [_without_equation(row) for row in drawn[DEMONSTRATIONS:]]
    return {
        "demonstrations": solved,
        "heldout": unsolved[:HELDOUT],
        "train": unsolved[HELDOUT:],
    }


def svamp(rows: Iterable[Row]) -> Iterator[Row]:
    """The problems of SVAMP with one text each."""
    for row in rows:
        body = row["Body"].strip()
        stop = "" if body.endswith((".", ",", "?", "!")) else "."
        question = f"{body}{stop} {row['Question'].strip()}"
        yield {"question": question, "answer": _shown(row["Answer"])}


def infix(equation: str) -> str:
    """`- / a b c` as `(a / b) - c`."""
    stack: list[str] = []
    for symbol in reversed(equation.split()):
        if symbol in OPERATIONS:
            one, other = stack.pop(), stack.pop()
            stack.append(f"({one} {symbol} {other})")
        else:
            stack.append(symbol if symbol.startswith("number") else _shown(symbol))
    (whole,) = stack
    return whole[1:-1] if whole.startswith("(") else whole


def as_written(tokens: str) -> str:
    """A text whose words and signs were set apart, with blanks where people write them."""
    text = re.sub(r"\s+([.,?!;:%])", r"\1", " ".join(tokens.split()))
    text = re.sub(r"\s*'\s*(s|t|re|ll|ve|d)\b", r"'\1", text)
    return re.sub(r"\$\s+", "$", text)


def _shown(number: Any) -> str:
    """A number as people write it: 56, not 56.0."""
    value = float(number)
    return str(int(value)) if value.is_integer() else str(value)


def _filled(text: str, numbers: list[str]) -> str:
    return re.sub(r"number(\d+)", lambda found: numbers[int(found[1])], text)


def _gives(equation: str, answer: float) -> bool:
    try:
        printed = solution_of_equation("?", equation, "").printed
    except BadInput:
        return False
    return abs(float(printed) - answer) <= TOLERANCE


def _without_equation(row: Row) -> Row:
    return {"question": row["question"], "answer": row["answer"]}


if __name__ == "__main__":
    main()
