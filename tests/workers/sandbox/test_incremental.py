"""Continuing a held interpreter gives the same as running the whole program again."""

import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workers.sandbox import Limits, Options, open_sandbox


def facts(outcome):
    """What must not depend on the cache."""
    return (
        *(outcome.status, outcome.stdout, outcome.value, outcome.error_type),
        *(outcome.error_message, outcome.step, outcome.line),
    )


async def test_the_steps_before_are_not_run_again(sandbox, tree):
    steps = ["import time\nt = time.time()", "t", "t"]
    assert (await sandbox.run(tree, steps[:1])).reused_steps == 0
    second = await sandbox.run(tree, steps[:2])
    third = await sandbox.run(tree, steps)
    assert (second.reused_steps, third.reused_steps) == (1, 2)
    assert second.value == third.value


async def test_a_missing_state_is_rebuilt_from_the_longest_held_prefix(sandbox, tree):
    steps = ["x = [1]", "x.append(2)", "x.append(3)", "x"]
    await sandbox.run(tree, steps[:1])
    outcome = await sandbox.run(tree, steps)
    assert (outcome.value, outcome.reused_steps) == ("[1, 2, 3]", 1)
    assert (await sandbox.run(tree, [*steps[:3], "len(x)"])).reused_steps == 3


async def test_variables_of_one_candidate_are_invisible_to_its_sibling(sandbox, tree):
    await sandbox.run(tree, ["x = [1]"])
    await sandbox.run(tree, ["x = [1]", "x.append(2)\nimport math\nmath.pi = 3\ny = 5"])
    outcome = await sandbox.run(tree, ["x = [1]", "import math\nx, math.pi > 3, 'y' in globals()"])
    assert outcome.value == "([1], True, False)"


async def test_state_of_one_tree_is_invisible_to_another(sandbox, tree):
    await sandbox.run(tree, ["secret = 1"])
    assert (await sandbox.run(tree + "'", ["secret"])).error_type == "NameError"
    sandbox.end_tree(tree + "'")


@pytest.mark.parametrize("seed", ["random.seed(7)", "# unseeded"])
async def test_random_state_survives_the_fork(sandbox, tree, seed):
    steps = [f"import random\n{seed}", "a = random.random()", "a, random.random()"]
    for end in (1, 2):
        await sandbox.run(tree, steps[:end])
    step_by_step = await sandbox.run(tree, steps)
    in_one = await sandbox.run(tree + "'", ["\n".join(steps)])
    assert step_by_step.reused_steps == 2
    assert step_by_step.value == in_one.value
    sandbox.end_tree(tree + "'")


async def test_numpy_random_state_survives_the_fork(sandbox, tree):
    steps = ["import numpy as np\nnp.random.seed(1)", "np.random.rand()"]
    await sandbox.run(tree, steps[:1])
    assert (await sandbox.run(tree, steps)).value.startswith("0.41702")


async def test_sets_of_text_have_one_order_everywhere(sandbox, tree):
    step = "print({'alpha', 'beta', 'gamma', 'delta'})"
    here = (await sandbox.run(tree, [step])).stdout
    async with open_sandbox() as another:
        assert (await another.run(tree, [step])).stdout == here


async def test_a_diverted_stdout_stays_diverted_until_restored(sandbox, tree):
    steps = [
        "import io, sys\nkept, sys.stdout = sys.stdout, io.StringIO()",
        "print('hidden')",
        "text = sys.stdout.getvalue()\nsys.stdout = kept\nprint('shown', text)",
    ]
    for end in (1, 2):
        assert (await sandbox.run(tree, steps[:end])).stdout == ""
    assert (await sandbox.run(tree, steps)).stdout == "shown hidden\n\n"


async def test_source_of_earlier_steps_can_be_inspected(sandbox, tree):
    steps = ["def f():\n    return 1", "import inspect\ninspect.getsource(f)"]
    await sandbox.run(tree, steps[:1])
    assert (await sandbox.run(tree, steps)).value == repr("def f():\n    return 1\n")


async def test_a_step_that_wants_sympy_gets_it_though_the_path_was_plain(sandbox, tree):
    steps = ["n = 6", "import sympy\nsympy.factorint(n)", "n + 1"]
    await sandbox.run(tree, steps[:1])
    assert (await sandbox.run(tree, steps[:2])).value == "{2: 1, 3: 1}"
    last = await sandbox.run(tree, steps)
    assert (last.value, last.reused_steps) == ("7", 2)


async def test_evicted_snapshot_is_rebuilt():
    async with open_sandbox(Options(slots=2, held_nodes=2)) as sandbox:
        for tree in "abcd":
            assert (await sandbox.run(tree, [f"x = {tree!r}"])).status == "ok"
        assert sandbox.held == 2
        for tree in "abcd":
            assert (await sandbox.run(tree, [f"x = {tree!r}", "x"])).value == repr(tree)
        assert sandbox.held == 2


async def test_large_snapshots_are_evicted_by_their_size():
    async with open_sandbox(Options(slots=2, held_mib=100)) as sandbox:
        for number in range(4):
            step = f"b = bytearray(60 << 20)\nfor i in range(0, 60 << 20, 4096): b[i] = {number}"
            assert (await sandbox.run(str(number), [step])).status == "ok"
            assert sandbox.held == 1


async def test_an_ended_tree_is_forgotten(sandbox, tree):
    before = sandbox.held
    await sandbox.run(tree, ["x = 1"])
    assert sandbox.held == before + 1
    sandbox.end_tree(tree)
    assert sandbox.held == before
    assert (await sandbox.run(tree, ["x = 1", "x"])).reused_steps == 0


async def test_siblings_that_miss_their_parent_rebuild_it_once(sandbox, tree):
    steps = ["import time\nt = time.time()", "u = 1"]
    values, before = [], sandbox.statistics.replayed_steps

    async def sibling(number):
        values.append((await sandbox.run(tree, [*steps, f"t # {number}"])).value)

    async with trio.open_nursery() as nursery:
        for number in range(6):
            nursery.start_soon(sibling, number)
    assert len(set(values)) == 1
    assert sandbox.statistics.replayed_steps - before == len(steps)


async def test_a_held_process_that_was_killed_is_rebuilt(sandbox, tree):
    await sandbox.run(tree, ["x = 1"])
    [node] = [held.node for held in sandbox._snapshots._held.values() if held.tree == tree]
    node.kill()
    await node.exited.wait()
    outcome = await sandbox.run(tree, ["x = 1", "x"])
    assert (outcome.value, outcome.reused_steps) == ("1", 0)


STEPS = st.sampled_from(
    [
        "x = 1",
        "x += 1\nprint(x)",
        "x = x * 3 if 'x' in globals() else 2",
        "import random\nrandom.seed(3)",
        "import random\nprint(random.random(), random.choice('abc'))",
        "def f(n):\n    return n if n < 2 else f(n - 1) + f(n - 2)",
        "f(10)",
        "print({'b', 'a', 'c'}, sorted(globals())[:3])",
        "class A:\n    n = 0\nA.n += 1\nA.n",
        "from fractions import Fraction\nFraction(1, 3) + Fraction(1, 6)",
        "y = [i for i in range(5)]\ny",
        "del x",
        "1 / 0",
        "assert x > 1, 'small'",
        "exit()",
        "import signal\nsignal.alarm(9)",
        "import sys\nsys.setrecursionlimit(2000)\nprint('π', sys.getrecursionlimit())",
        "# nothing",
        "x = = 1",
    ]
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=st.lists(STEPS, min_size=1, max_size=6))
async def test_continuing_and_replaying_agree(sandbox, steps):
    limits = Limits(wall_seconds=10, memory_mib=256)
    for end in range(1, len(steps) + 1):
        continued = await sandbox.run("grown", steps[:end], limits)
        replayed = await sandbox.run("fresh", steps[:end], limits)
        sandbox.end_tree("fresh")
        assert facts(continued) == facts(replayed)
    sandbox.end_tree("grown")
