"""Runs folders of programs and judges them: attacks must be contained, benign ones must work.

An attack is a `.py` file whose header line `# correct: denied killed error timeout output harmless`
lists its allowed outcomes; if it prints "BREACH", that is a breach. A program with a `.out` file
beside it must print exactly that. After each program a canary of the same flavour must still work,
and no unknown process may be left. Incrementally, a program runs as a chain of steps, each in the
interpreter held after the one before, and the canary continues from the state in which the chain
began; a header line `# whole: WHY` keeps a program in one step.
"""

import ast
import re
import warnings
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import trio
from msgspec.structs import replace

from workers.sandbox import policy
from workers.sandbox.errors import SandboxError
from workers.sandbox.execution import Outcome
from workers.sandbox.sandbox import Sandbox

ATTACK_LIMITS = policy.Limits(wall_seconds=3.0, cpu_seconds=1.0)
BENIGN_LIMITS = policy.Limits(wall_seconds=30.0, cpu_seconds=20.0)
CANARIES: dict[policy.Flavour, tuple[str, str]] = {
    "plain": ("import math\nprint(round(math.pi, 5), sorted({3, 1}))", "3.14159 [1, 3]\n"),
    "sympy": (
        "import sympy as s, math\nx = s.symbols('x')\n"
        "print(s.solve(x**2 - 1, x), round(math.pi, 5))",
        "[-1, 1] 3.14159\n",
    ),
    "numpy": (
        "import numpy as n\nprint(n.linalg.det(n.eye(3)), n.arange(3).sum())",
        "1.0 3\n",
    ),
}
# In the incremental mode attack and canary both continue this program.
BEFORE: dict[policy.Flavour, list[str]] = {
    "plain": ["secret = 41", "secret += 1"],
    "sympy": ["import sympy", "secret = 42"],
    "numpy": ["import numpy", "secret = 42"],
}
MAX_STEPS = 6
MAX_CHARACTERS = 20_000  # longer sources, and those that cannot be parsed, stay one step
# An outcome also counts as these: a denial is an error if the program does not catch it, harmless
# if it does, and a crash is as good as a kill.
COUNTS_AS = {"denied": {"harmless", "error"}, "error": {"denied", "killed"}, "killed": {"error"}}


@dataclass(frozen=True)
class Verdict:
    """The judgement on one program; `seen` is its outcome, `foreseen` lists the allowed ones."""

    name: str
    kind: str  # attack or benign
    good: bool
    seen: str
    foreseen: str
    canary: bool
    seconds: float
    detail: str = ""


async def check(
    sandbox: Sandbox, folders: Iterable[Path], *, incremental: bool = False
) -> AsyncIterator[Verdict]:
    """Run every program of the folders, one after the other, and judge each."""
    for path in programs(folders):
        yield await judge(sandbox, path, incremental=incremental)


def programs(folders: Iterable[Path]) -> list[Path]:
    """The programs in these folders, in order."""
    return sorted(path for folder in folders for path in folder.glob("*.py"))


async def judge(
    sandbox: Sandbox,
    path: Path,
    *,
    incremental: bool = False,
    attack_limits: policy.Bounds = ATTACK_LIMITS,
    canaries: Mapping[policy.Flavour, tuple[str, str]] = CANARIES,
) -> Verdict:
    """Run one program, then the canary of its flavour."""
    source, expected = _load(path)
    flavour = policy.flavour_of([source])
    before = BEFORE[flavour] if incremental else []
    steps = _steps(source) if incremental else [source]
    limits = attack_limits if expected is None else BENIGN_LIMITS
    started = trio.current_time()
    outcome = await _run_chain(sandbox, path.stem, before, steps, limits)
    seconds = trio.current_time() - started
    canary = await _canary_works(sandbox, path.stem, before, *canaries[flavour])
    sandbox.end_tree(path.stem)
    if expected is None:
        seen, foreseen = classify(outcome), allowed_outcomes(source)
        kind, good = "attack", is_contained(seen, foreseen.split())
    else:
        seen, foreseen = str(outcome.status), "equal output"
        kind, good = "benign", outcome.status == "ok" and outcome.stdout == expected
    detail = "" if good else f"{outcome.status} {outcome.error_message} {outcome.stdout[:300]!r}"
    return Verdict(path.stem, kind, good and canary, seen, foreseen, canary, seconds, detail)


def _load(path: Path) -> tuple[str, str | None]:
    """A program, and what it must print if it is a benign one."""
    expected = path.with_suffix(".out")
    output = expected.read_text(encoding="utf-8") if expected.exists() else None
    return path.read_text(encoding="utf-8"), output


def _steps(source: str) -> list[str]:
    return (
        [source]
        if re.search("^# whole:", source, re.MULTILINE)
        else split_into_steps(source, MAX_STEPS)
    )


async def _run_chain(
    sandbox: Sandbox, tree: str, before: list[str], steps: list[str], limits: policy.Bounds
) -> Outcome:
    """Extend `before` step by step; the outcome of the last step, with all that was printed."""
    printed = ""
    for end in range(1, len(steps) + 1):
        outcome = await sandbox.run(tree, [*before, *steps[:end]], limits)
        printed += outcome.stdout
        if outcome.status != "ok" or outcome.ended:
            break
    return replace(outcome, stdout=printed)


def classify(outcome: Outcome) -> str:
    """The outcome of an attack, as one word."""
    if "BREACH" in outcome.stdout:
        return "BREACH"
    if outcome.status in ("timeout", "output"):
        return outcome.status
    if "DENIED" in outcome.stdout:
        return "denied"
    if outcome.status == "ok":
        return "harmless"
    return "killed" if outcome.error_message.startswith("killed") else "error"


def is_contained(seen: str, foreseen: Sequence[str]) -> bool:
    """Whether the outcome is among the allowed ones."""
    if seen == "BREACH":
        return False
    return bool({seen, *COUNTS_AS.get(seen, ())} & {*foreseen}) or "accepted" in foreseen


def allowed_outcomes(source: str) -> str:
    """The outcomes that an attack's header allows."""
    found = re.search(r"^# correct: *(.*)$", source, re.MULTILINE)
    return found[1] if found else "denied harmless"


async def _canary_works(
    sandbox: Sandbox, tree: str, before: list[str], canary: str, expected: str
) -> bool:
    try:
        outcome = await sandbox.run(tree, [*before, canary], BENIGN_LIMITS)
    except SandboxError:
        return False
    return outcome.status == "ok" and outcome.stdout == expected


def split_into_steps(source: str, max_steps: int) -> list[str]:
    """At most `max_steps` pieces with about as many statements each; joined by newlines they are
    the source."""
    lines, starts = source.split("\n"), _starts(source)
    size = -(-len(starts) // max_steps) or 1
    cuts = [0, *starts[size::size], len(lines)]
    return ["\n".join(lines[one:other]) for one, other in pairwise(cuts)]


def _starts(source: str) -> list[int]:
    """The lines, from 0, on which a statement begins after the previous one has ended."""
    if len(source) > MAX_CHARACTERS or "\r" in source:
        return []
    try:
        with warnings.catch_warnings(action="ignore"):
            body = ast.parse(source).body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return []
    ends = [0, *(statement.end_lineno or 0 for statement in body)]
    firsts = map(_first_line, body)
    return [first - 1 for first, end in zip(firsts, ends, strict=False) if first > end]


def _first_line(statement: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)])
