"""A thousand interpreters held at a time: how much memory, and does each still answer."""

import os
from collections.abc import Iterable
from pathlib import Path
from random import Random

from benchmarks.cpu_meter import Meter
from benchmarks.report import Report
from workers.sandbox import Sandbox
from workers.sandbox.process_group import members

TREES = 20
FIRST = "from sympy import *\nx = symbols('x')\np = Integer({number})"
NEXT = "p = expand(p * (x + {number}))\nq = factor(p)\nr = diff(p, x)"
PROBES = 50
GIB = 1 << 30


async def measure_nodes(report: Report, sandbox: Sandbox, most: int) -> None:
    """Grow random trees to `most` nodes, weigh them, and go on from some of them."""
    before = _available()
    growing, asking = Meter(), Meter()
    programs = await _grow(sandbox, most, growing)
    held = sandbox.held
    memory, note = _weight(sandbox, before)
    right = await _probe(sandbox, programs, asking)
    for tree in range(TREES):
        sandbox.end_tree(f"tree {tree}")
    gib = memory / GIB * (1000 / held)
    row = {"cpu_ms": round(growing.cpu_ms, 2), "wall_p50_ms": round(growing.wall_ms(50), 1)}
    p99 = round(growing.wall_ms(99), 1)
    report.row(job=f"{held} live nodes, each made", executor="ours", **row, wall_p99_ms=p99,
               jobs=growing.jobs, note=note)  # fmt: skip
    report.claim(f"1,000 live nodes (from {held})", gib, "GiB", "<=", 8)
    report.claim("live nodes held of those made", held / most, "share", "==", 1)
    report.claim("of them asked, right", right / PROBES, "share", "==", 1)


async def _grow(sandbox: Sandbox, most: int, meter: Meter) -> list[tuple[str, list[str]]]:
    dice = Random(3)
    programs: list[tuple[str, list[str]]] = []
    with meter:
        for number in range(most):
            program = _new(number) if number < TREES else _grown(dice.choice(programs), number)
            meter.begin()
            outcome = await sandbox.run(*program)
            meter.end()
            if outcome.status != "ok":
                raise AssertionError(f"node {number} could not be made: {outcome}")
            programs.append(program)
    return programs


def _new(tree: int) -> tuple[str, list[str]]:
    return f"tree {tree}", [FIRST.format(number=tree + 2)]


def _grown(parent: tuple[str, list[str]], number: int) -> tuple[str, list[str]]:
    tree, steps = parent
    steps = steps if len(steps) < 8 else steps[:7]
    return tree, [*steps, NEXT.format(number=number)]


async def _probe(sandbox: Sandbox, programs: list[tuple[str, list[str]]], meter: Meter) -> int:
    """How many of some held states give what arithmetic says: p at x = 0."""
    right = 0
    with meter:
        for tree, steps in Random(5).sample(programs, PROBES):
            meter.begin()
            outcome = await sandbox.run(tree, [*steps, "p.subs(x, 0)"])
            meter.end()
            right += outcome.value == str(_product(steps)) and outcome.reused_steps == len(steps)
    return right


def _product(steps: Iterable[str]) -> int:
    product = 1
    for step in steps:
        product *= int("".join(c for c in step.partition("p = ")[2].split("\n")[0] if c.isdigit()))
    return product


def _weight(sandbox: Sandbox, available_before: int) -> tuple[int, str]:
    """Bytes, and how they were weighed: exactly if we may, else by what the machine has less."""
    less = available_before - _available()
    pids = set().union(*map(members, sandbox.groups))
    if os.geteuid() != 0:
        return less, f"{less / GIB:.2f} GiB less available on the machine"
    shares, tables = sum(map(_pss, pids)), sum(map(_page_tables, pids))
    note = f"{shares / GIB:.2f} GiB proportional set size, {tables / GIB:.2f} GiB page tables"
    return shares + tables, note


def _available() -> int:
    return _kib(Path("/proc/meminfo"), "MemAvailable:") << 10


def _pss(pid: int) -> int:
    return _kib(Path(f"/proc/{pid}/smaps_rollup"), "Pss:") << 10


def _page_tables(pid: int) -> int:
    return _kib(Path(f"/proc/{pid}/status"), "VmPTE:") << 10


def _kib(path: Path, key: str) -> int:
    try:
        return int(path.read_text().partition(key)[2].split()[0])
    except OSError:
        return 0
