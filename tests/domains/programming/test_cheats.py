"""Programs that try to look right are judged wrong, by tests that hold an honest one right."""

import trio

from benchmarks.judging import open_executor
from benchmarks.programs import CHEATS, HONEST, TOTAL
from rstar_async.domains.programming.domain import verdict_of
from rstar_async.domains.programming.verification import run_tests

SLOW = ("never_ends", "read_the_request")  # until their time is up; the benchmark has them too


async def verdicts() -> dict[str, str]:
    files = [file for file in CHEATS.glob("*.py") if file.stem not in SLOW]
    programs = {"honest": HONEST, **{file.stem: file.read_text() for file in files}}
    async with open_executor() as executor:
        return {
            name: verdict_of(await run_tests(TOTAL, TOTAL.tests, [program], executor))
            for name, program in programs.items()
        }


def test_every_cheating_program_is_judged_wrong():
    found = trio.run(verdicts)
    assert found.pop("honest") == "right"
    assert len(found) >= 15
    assert set(found.values()) == {"wrong"}, found
