"""What a step is, what it may do, and what is reported about it."""

import pytest


async def test_output_and_the_value_of_the_last_expression_are_reported(sandbox, tree):
    outcome = await sandbox.run(tree, ["x = 20\nprint('hi')\nx + 22"])
    assert (outcome.status, outcome.stdout, outcome.value) == ("ok", "hi\n", "42")
    assert (outcome.step, outcome.line, outcome.reused_steps) == (-1, 0, 0)


async def test_a_step_sees_what_the_steps_before_left(sandbox, tree):
    outcome = await sandbox.run(tree, ["import math", "def f(x): return math.sqrt(x)", "f(9)"])
    assert outcome.value == "3.0"


@pytest.mark.parametrize("step", ["x = 1", "None", "print(1)", "# nothing but words", "", "\n\n"])
async def test_a_step_without_a_last_value_has_none(sandbox, tree, step):
    outcome = await sandbox.run(tree, [step])
    assert (outcome.status, outcome.value) == ("ok", "")


async def test_the_program_is_main(sandbox, tree):
    step = "import sys\nclass A: pass\n__name__, A.__module__, sys.modules['__main__'].A is A"
    assert (await sandbox.run(tree, [step])).value == "('__main__', '__main__', True)"


async def test_only_the_last_steps_output_is_reported(sandbox, tree):
    outcome = await sandbox.run(tree, ["print('first')", "print('second')", "print('third')"])
    assert outcome.stdout == "third\n"


async def test_an_exception_names_its_type_text_step_and_line(sandbox, tree):
    outcome = await sandbox.run(tree, ["a = 1", "b = 2\n\nc = a / (b - 2)"])
    assert (outcome.status, outcome.error_type) == ("exception", "ZeroDivisionError")
    assert (outcome.error_message, outcome.step, outcome.line) == ("division by zero", 1, 3)


async def test_the_line_is_of_the_failing_step_even_inside_an_older_function(sandbox, tree):
    outcome = await sandbox.run(tree, ["\n\n\ndef f(): return 1 / 0", "x = 1\nf()"])
    assert (outcome.step, outcome.line) == (1, 2)


async def test_a_syntax_error_names_its_line(sandbox, tree):
    outcome = await sandbox.run(tree, ["x = 1\ny = = 2"])
    assert (outcome.error_type, outcome.step, outcome.line) == ("SyntaxError", 0, 2)


async def test_a_failure_in_an_earlier_step_names_that_step(sandbox, tree):
    outcome = await sandbox.run(tree, ["x = 1", "\nint('a')", "print(x)"])
    assert (outcome.status, outcome.error_type) == ("exception", "ValueError")
    assert (outcome.step, outcome.line, outcome.stdout) == (1, 2, "")


@pytest.mark.parametrize("text", ["Error: no", "Traceback (most recent call last)", "exception"])
async def test_a_step_does_not_fail_by_printing_the_word_error(sandbox, tree, text):
    outcome = await sandbox.run(tree, [f"print({text!r})\n{text!r}"])
    assert (outcome.status, outcome.stdout, outcome.value) == ("ok", f"{text}\n", repr(text))


@pytest.mark.parametrize(
    "leave", ["exit()", "quit()", "import sys; sys.exit(0)", "raise SystemExit"]
)
async def test_exiting_with_success_is_ok(sandbox, tree, leave):
    outcome = await sandbox.run(tree, [f"print('answer')\n{leave}"])
    assert (outcome.status, outcome.stdout) == ("ok", "answer\n")


async def test_a_step_after_the_end_fails_cleanly(sandbox, tree):
    assert (await sandbox.run(tree, ["exit()"])).status == "ok"
    outcome = await sandbox.run(tree, ["exit()", "print(1)"])
    assert (outcome.status, outcome.error_type, outcome.step) == ("exception", "SystemExit", 0)


@pytest.mark.parametrize("leave", ["exit(1)", "import sys; sys.exit('no')"])
async def test_exiting_with_failure_is_an_exception(sandbox, tree, leave):
    assert (await sandbox.run(tree, [leave])).error_type == "SystemExit"


async def test_os_exit_counts_as_died(sandbox, tree):
    outcome = await sandbox.run(tree, ["import os\nos._exit(0)"])
    assert (outcome.status, outcome.step) == ("died", 0)
    assert "exit status 0" in outcome.error_message


async def test_a_crash_names_its_signal(sandbox, tree):
    outcome = await sandbox.run(tree, ["import ctypes\nctypes.string_at(0)"])
    assert (outcome.status, outcome.error_message) == ("died", "killed by SIGSEGV")


async def test_stdin_is_empty(sandbox, tree):
    assert (await sandbox.run(tree, ["input()"])).error_type == "EOFError"


async def test_big_integers_have_all_their_digits(sandbox, tree):
    outcome = await sandbox.run(tree, ["x = 7 ** 6000\nprint(x)\nx"])
    assert outcome.stdout == f"{outcome.value}\n"
    assert len(outcome.value) == 5071


@pytest.mark.parametrize("value", [0.1 + 0.2, 1e308, float("-inf"), 5e-324, -0.0])
async def test_floats_come_back_exactly(sandbox, tree, value):
    outcome = await sandbox.run(tree, [f"float({str(value)!r})"])
    assert repr(float(outcome.value)) == repr(value)


@pytest.mark.parametrize("text", ["∑ naïve 数学 🧮", "a\0b", "\x1b[2J", "\r\n", "\u2028"])
async def test_any_text_survives(sandbox, tree, text):
    outcome = await sandbox.run(tree, [f"x = {text!r}", "print(x, end='')\nx"])
    assert (outcome.stdout, outcome.value) == (text, repr(text))


async def test_text_in_the_source_survives(sandbox, tree):
    assert (await sandbox.run(tree, ["print('数学', end='')"])).stdout == "数学"


async def test_lone_surrogates_come_back_as_escapes_that_any_encoder_takes(sandbox, tree):
    outcome = await sandbox.run(tree, ["print('\\ud800')\nraise ValueError('\\udfff')"])
    assert (outcome.stdout, outcome.error_message) == ("\\ud800\n", "\\udfff")
    outcome = await sandbox.run(tree, ["'\ud800'"])
    assert (outcome.status, outcome.error_type) == ("exception", "UnicodeEncodeError")


async def test_bytes_that_are_no_text_come_back_as_escapes(sandbox, tree):
    outcome = await sandbox.run(tree, ["import os\nos.write(1, b'\\xff\\0ok')"])
    assert outcome.stdout == "\\xff\0ok"


async def test_a_long_value_is_cut_and_long_output_is_not(sandbox, tree):
    outcome = await sandbox.run(tree, ["print('y' * 65535)\n'x' * 100000"])
    assert (outcome.status, len(outcome.stdout), len(outcome.value)) == ("ok", 65536, 8192)


async def test_a_very_long_source_runs(sandbox, tree):
    source = "\n".join(f"x{i} = {i}" for i in range(30_000)) + "\nx29999"
    assert (await sandbox.run(tree, [source])).value == "29999"


@pytest.mark.parametrize(
    "break_it",
    [
        "import builtins; builtins.isinstance = builtins.len = builtins.type = None",
        "import os, json, struct; os.dup2 = os._exit = struct.pack = None",
        "import sys; sys.settrace(lambda *a: 1 / 0); sys.stdout = None",
        "import signal; signal.signal(14, lambda *a: 1 / 0); signal.setitimer(0, .001, .001)",
    ],
)
async def test_a_program_that_breaks_pythons_own_modules_breaks_only_itself(
    sandbox, tree, break_it
):
    assert (await sandbox.run(tree, [break_it])).status == "ok"
    outcome = await sandbox.run(tree, [break_it, "x = 5", "1 / (x - 5)"])
    assert (outcome.error_type, outcome.step) == ("ZeroDivisionError", 2)


async def test_an_exception_that_cannot_be_printed_is_still_one(sandbox, tree):
    step = "class E(Exception):\n def __str__(self): raise E\nraise E"
    outcome = await sandbox.run(tree, [step])
    assert (outcome.status, outcome.error_message) == (
        "exception",
        "<the exception cannot be printed>",
    )


async def test_an_empty_program_is_refused(sandbox, tree):
    with pytest.raises(ValueError, match="at least one step"):
        await sandbox.run(tree, [])


async def test_sympy_numpy_and_scipy_work_together(sandbox, tree):
    steps = [
        "import sympy, numpy as np",
        "from scipy.optimize import brentq\nround(brentq(lambda x: x**2 - 2, 0, 2), 6)",
        "x = sympy.Symbol('x')\nsympy.solve(x**2 - 2), int(np.arange(4).sum())",
    ]
    assert (await sandbox.run(tree, steps[:2])).value == "1.414214"
    assert (await sandbox.run(tree, steps)).value == "([-sqrt(2), sqrt(2)], 6)"
