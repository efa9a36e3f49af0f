"""Lines of the log: what is in them, whoever logs and wherever."""

import json
import logging

import pytest
import trio

from rstar_async.telemetry.logs import JsonLines, TextLines, facts

log = logging.getLogger("tests.logs")


@pytest.fixture
def lines():
    """Log through both layouts; return what they wrote."""
    written: dict[str, list[str]] = {"text": [], "json": []}

    class Keep(logging.Handler):
        def __init__(self, layout: str, formatter: logging.Formatter) -> None:
            super().__init__()
            self._layout = layout
            self.setFormatter(formatter)

        def emit(self, record: logging.LogRecord) -> None:
            written[self._layout].append(self.format(record))

    handlers = [Keep("text", TextLines("executor-1")), Keep("json", JsonLines("executor-1"))]
    for handler in handlers:
        log.addHandler(handler)
    log.setLevel(logging.INFO)
    yield written
    for handler in handlers:
        log.removeHandler(handler)


def test_a_line_has_process_message_and_facts(lines):
    log.info("worker joined", extra={"worker": "w1", "capacity": 8, "job": b"\x01\xff"})
    assert lines["text"][0].endswith(
        "INFO executor-1 tests.logs: worker joined worker=w1 capacity=8 job=01ff"
    )
    found = json.loads(lines["json"][0])
    assert (found["process"], found["message"], found["level"]) == (
        "executor-1",
        "worker joined",
        "info",
    )
    assert (found["worker"], found["capacity"], found["job"]) == ("w1", 8, "01ff")


async def test_facts_are_added_to_all_lines_of_the_block_and_its_tasks(lines):
    async def child() -> None:
        log.info("inside", extra={"attempt": 2})

    with facts(job=b"\xab", tree="t1"):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(child)
    log.info("outside")
    assert lines["text"][0].endswith("inside job=ab tree=t1 attempt=2")
    assert lines["text"][1].endswith("outside")


async def test_facts_of_two_tasks_do_not_mix(lines):
    async def work(job: str) -> None:
        with facts(job=job):
            await trio.lowlevel.checkpoint()
            log.info(f"I am {job}")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(work, "a")
        nursery.start_soon(work, "b")
    assert sorted(line.partition("I am ")[2] for line in lines["text"]) == ["a job=a", "b job=b"]


def test_a_value_cannot_forge_a_line(lines):
    log.info("refused", extra={"reason": "x\n2026-11-21 ERROR forged y=z"})
    assert len(lines["text"][0].splitlines()) == 1


def test_an_exception_brings_its_traceback(lines):
    try:
        raise ValueError("no such thing")
    except ValueError:
        log.exception("job failed")
    assert "ValueError: no such thing" in lines["text"][0]
    assert "ValueError: no such thing" in json.loads(lines["json"][0])["traceback"]
