"""A thousand interpreters held at a time: how much memory they take, and whether each answers."""

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


async def measure_nodes(report: Report, sandbox: Sandbox, count: int) -> None:
    """Grow random trees to `count` nodes, measure their memory, and continue some of them."""
    before = _available()
    made, asked = Meter(), Meter()
    programs = await _grow(sandbox, count, made)
    held = sandbox.held
    memory, note = _memory(sandbox, before)
    right = await _probe(sandbox, programs, asked)
    for tree in range(TREES):
        sandbox.end_tree(f"tree {tree}")
    gib = memory / GIB * (1000 / held)
    row = {"cpu_ms": round(made.cpu_ms, 2), "wall_p50_ms": round(made.wall_ms(50), 1)}
    p99 = round(made.wall_ms(99), 1)
    report.row(job=f"{held} live nodes, each made", executor="ours", **row, wall_p99_ms=p99,
               jobs=made.jobs, note=note)  # fmt: skip
    report.claim(f"1,000 live nodes (from {held})", gib, "GiB", "<=", 8)
    report.claim("live nodes held of those made", held / count, "share", "==", 1)
    report.claim("of them asked, right", right / PROBES, "share", "==", 1)


async def _grow(sandbox: Sandbox, count: int, meter: Meter) -> list[tuple[str, list[str]]]:
    random = Random(3)
    programs: list[tuple[str, list[str]]] = []
    with meter:
        for number in range(count):
            is_root = number < TREES
            program = _root_of(number) if is_root else _child_of(random.choice(programs), number)
            meter.begin()
            outcome = await sandbox.run(*program)
            meter.end()
            if outcome.status != "ok":
                raise AssertionError(f"node {number} could not be made: {outcome}")
            programs.append(program)
    return programs


def _root_of(tree: int) -> tuple[str, list[str]]:
    return f"tree {tree}", [FIRST.format(number=tree + 2)]


def _child_of(parent: tuple[str, list[str]], number: int) -> tuple[str, list[str]]:
    tree, steps = parent
    steps = steps if len(steps) < 8 else steps[:7]
    return tree, [*steps, NEXT.format(number=number)]


async def _probe(sandbox: Sandbox, programs: list[tuple[str, list[str]]], meter: Meter) -> int:
    """In how many of some held states p at x = 0 has the right value."""
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


def _memory(sandbox: Sandbox, available_before: int) -> tuple[int, str]:
    """Bytes, and how they were measured: exactly as root, else by what the machine has less."""
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
