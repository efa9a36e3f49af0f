"""kill -9 for an executor that holds a hundred interpreters, while a dozen trees grow."""

import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
import trio

from rstar_async.launch.linux import children
from rstar_async.wire.messages import job_id
from rstar_async.wire.payloads import Execute, Executed
from rstar_async.wire.pool import open_pool
from workers.sandbox.process_group import group_of, members

TREES, DEPTH, LIVE_NODES = 12, 20, 100
PATIENCE_SECONDS = 120


def steps(tree):
    """Each step needs the state of those before it, and shows it."""
    first = f"import random\nrandom.seed({tree})\nseen = [{tree}]"
    return [first] + [
        f"seen.append((seen[-1] * 7 + {depth} + random.randrange(100)) % 1009)\n"
        "print(seen)\nsum(seen)"
        for depth in range(1, DEPTH)
    ]


def undisturbed(tree):
    """What each step would give in an interpreter that nobody kills."""
    from random import Random

    random, seen = Random(tree), [tree]
    expected = [("", "")]
    for depth in range(1, DEPTH):
        seen.append((seen[-1] * 7 + depth + random.randrange(100)) % 1009)
        expected.append((f"{seen}\n", str(sum(seen))))
    return expected


async def grow(pool, tree, results):
    program = steps(tree)
    for depth in range(1, DEPTH + 1):
        answer = await pool.request(
            Execute(str(tree), program[:depth]),
            Executed,
            job=job_id(str(tree), str(depth)),
            group=str(tree),
        )
        assert answer.status == "ok", answer
        results[tree].append((answer.stdout, answer.value))


class ExecutorProcess:
    """A worker process and what it has behind the wall, as the kernel's list tells it."""

    def __init__(self, process):
        self.process = process

    def groups(self):
        """Its guards, and the process groups of what they guard."""
        guards = [child.pid for child in children(self.process.pid)]
        behind = (child.pid for guard in guards for child in children(guard))
        return guards, {group_of(pid) for pid in behind} - {0, *map(group_of, guards)}

    def nodes(self):
        _, groups = self.groups()
        return sum(len(members(group)) - 1 for group in groups)


@pytest.fixture
def system(tmp_path):
    """A broker and two executors, every one a process; the endpoint of clients."""
    clients, workers = f"ipc://{tmp_path}/c", f"ipc://{tmp_path}/w"
    broker = [*("brokers", "executor", "--clients", clients), "--workers", workers, "--lease", "2"]
    names = ("one", "two")
    executor = ("workers", "executor", "--slots", "1", "--endpoint", workers, "--name")
    with ExitStack() as stack:
        commands = [broker, *([*executor, name] for name in names)]
        started = [stack.enter_context(started_process(command, tmp_path)) for command in commands]
        yield clients, [ExecutorProcess(process) for process in started[1:]]
        for process in started:
            process.kill()


def started_process(command, folder):
    with (folder / "log").open("ab") as log:
        return subprocess.Popen([sys.executable, "-m", *command], stdout=log, stderr=log)


async def until(condition):
    with trio.fail_after(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110
            await trio.sleep(0.02)


def is_gone(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


async def test_an_executor_killed_with_a_hundred_nodes_leaves_none_and_every_tree_continues(system):
    endpoint, executors = system
    results = {tree: [] for tree in range(TREES)}
    async with open_pool(endpoint, name="searches") as pool:
        with trio.fail_after(PATIENCE_SECONDS):
            await until(lambda: all(executor.groups()[1] for executor in executors))
            async with trio.open_nursery() as searches:
                for tree in results:
                    searches.start_soon(grow, pool, tree, results)
                await until(lambda: any(one.nodes() >= LIVE_NODES for one in executors))
                victim = max(executors, key=ExecutorProcess.nodes)
                guards, groups = victim.groups()
                victim.process.send_signal(signal.SIGKILL)
                assert any(len(answers) < DEPTH for answers in results.values())
                await until(lambda: all(map(is_gone, guards)) and not any(map(members, groups)))
    assert results == {tree: undisturbed(tree) for tree in results}
