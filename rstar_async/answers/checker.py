"""Answer checking for trio programs: the cheap ladder here, math-verify in child processes.

Guarantees: every call gets a verdict; a question that takes a child longer than `seconds` is
"undecided" and its child is killed; one whose child dies is asked again on a fresh child; nothing
of unbounded cost runs in the caller's process; leaving the block leaves no process behind.
"""

from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import trio

from rstar_async.answers.equivalence import Question, compare
from rstar_async.answers.rules import RULES, Rules, RulesName, Verdict
from rstar_async.answers.verifier_process import VerifierDied, VerifierProcess

MEMORY_ENTRIES = 100_000
MEMORY_CHARS = 4_000
"""Longer pairs are not remembered, so the memory stays below about 400 MB at worst."""
ATTEMPTS = 3


@dataclass
class Statistics:
    """Counters since the checker was opened."""

    calls: int = 0
    remembered: int = 0
    by_ladder: int = 0
    by_verifier: int = 0
    timeouts: int = 0
    deaths: int = 0
    started: int = 0


class Checker:
    """Get one from `open_checker`. Any number of tasks may call it at once."""

    def __init__(self, workers: int, seconds: float, rules: Rules) -> None:
        self._seconds = seconds
        self._rules = rules
        self._memory: OrderedDict[tuple[str, str], Verdict] = OrderedDict()
        self._pending: dict[tuple[str, str], trio.Event] = {}
        self._children: list[VerifierProcess] = []
        self._workers = workers
        self._slots = trio.Semaphore(workers)
        self._counts = Statistics()
        self._is_closed = False

    def statistics(self) -> Statistics:
        return replace(self._counts)

    def pids(self) -> list[int]:
        """Of the idle children; a busy one is with whoever asked."""
        return [child.pid for child in self._children]

    async def warm(self) -> None:
        """Start all children now instead of at the first questions that need them."""
        async with trio.open_nursery() as nursery:
            for _ in range(self._workers - len(self._children)):
                nursery.start_soon(self._warm_one)

    async def _warm_one(self) -> None:
        async with self._slots:
            self._children.append(await self._start())

    async def equal(self, gold: str, predicted: str) -> Verdict:
        """Does `predicted` answer as `gold` does? Equal calls at the same time share one look."""
        await trio.lowlevel.checkpoint()
        self._counts.calls += 1
        pair = (gold, predicted)
        while pair in self._pending:
            await self._pending[pair].wait()
        if pair in self._memory:
            self._counts.remembered += 1
            self._memory.move_to_end(pair)
            return self._memory[pair]
        found = compare(gold, predicted, self._rules)
        if isinstance(found, Question):
            found = await self._ask_once(pair, found)
        else:
            self._counts.by_ladder += 1
        self._remember(pair, found)
        return found

    async def _ask_once(self, pair: tuple[str, str], question: Question) -> Verdict:
        """Ask while other callers with the same pair wait; if cancelled, one of them takes over."""
        self._pending[pair] = trio.Event()
        try:
            verdict = await self._ask(question)
            if verdict != "equal" and self._rules.either_order:
                swapped = await self._ask(Question(question.predicted, question.gold))
                verdict = swapped if swapped == "equal" else verdict
            self._remember(pair, verdict)
            return verdict
        finally:
            self._pending.pop(pair).set()

    async def _ask(self, question: Question) -> Verdict:
        async with self._slots:
            for _ in range(ATTEMPTS):
                child = self._children.pop() if self._children else await self._start()
                try:
                    verdict = await self._ask_child(child, question)
                except VerifierDied:
                    self._counts.deaths += 1
                else:
                    self._counts.by_verifier += 1
                    return verdict
        return "undecided"

    async def _ask_child(self, child: VerifierProcess, question: Question) -> Verdict:
        """Ask; the child goes back to the idle ones only if it answered."""
        verdict: Verdict | None = None
        try:
            with trio.move_on_after(self._seconds):
                verdict = await child.ask(question, permissive=self._rules.either_order)
        finally:
            if verdict is None or self._is_closed:
                await child.close()
            else:
                self._children.append(child)
        if verdict is None:
            self._counts.timeouts += 1
        return verdict or "undecided"

    async def _start(self) -> VerifierProcess:
        self._counts.started += 1
        return await VerifierProcess.start()

    def _remember(self, pair: tuple[str, str], verdict: Verdict) -> None:
        if len(pair[0]) + len(pair[1]) > MEMORY_CHARS:
            return
        self._memory[pair] = verdict
        if len(self._memory) > MEMORY_ENTRIES:
            self._memory.popitem(last=False)

    async def close(self) -> None:
        """Kill the idle children now, and a busy one when it has answered."""
        self._is_closed = True
        while self._children:
            await self._children.pop().close()


@asynccontextmanager
async def open_checker(
    workers: int = 1, seconds: float = 5.0, rules: RulesName = "strict"
) -> AsyncIterator[Checker]:
    """A checker with at most `workers` children, each started when first needed.

    One worker is right for a search: the ladder answers most calls. More only pay where many
    answers need symbolic work at once.
    """
    checker = Checker(workers, seconds, RULES[rules])
    try:
        yield checker
    finally:
        await checker.close()
