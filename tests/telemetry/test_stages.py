"""Bars and their numbers, at any width."""

import io

import pytest
from rich.console import Console

from rstar_async.telemetry.progress_display import BarDisplay, LineDisplay
from rstar_async.telemetry.stage_lines import plain_line, stage_lines
from rstar_async.telemetry.stage_times import Stage, StageTimes, clock

NOTE = "12,213 solved · 1,233,388 nodes · 192,854,000 tokens"


def lines(stage: Stage, width: int, *, began: float = 0.0, now: float = 60.0) -> list[str]:
    times = StageTimes.of(Stage(stage.title, 0, stage.total, tokens=stage.tokens and 0), began)
    times.update(stage, now)
    return [line.plain for line in stage_lines(stage, times, now, width)]


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_all_numbers_are_shown_at_every_width(width):
    shown = lines(Stage("round 12 · search heldout", 21_300, 240_000, NOTE), width)
    assert all(len(line) <= width for line in shown)
    assert "21,300/240,000" in shown[0]
    assert "1:00, 10:16 left" in shown[0]
    assert NOTE in " ".join(shown)


def test_a_wide_terminal_has_one_line_a_stage():
    assert len(lines(Stage("round 1 · search", 1, 2, "24 solved"), 100)) == 1


def test_what_a_run_had_done_before_does_not_count_for_the_estimate():
    times = StageTimes.of(Stage("s", 50, 100), 0.0)
    assert times.remaining(Stage("s", 50, 100), 10.0) is None
    times.update(Stage("s", 60, 100), 10.0)
    assert times.remaining(Stage("s", 60, 100), 10.0) == pytest.approx(40.0)


def test_the_clock_of_an_ended_stage_stands_still():
    times = StageTimes.of(Stage("s", 0, 2), 0.0)
    times.update(Stage("s", 2, 2, ended=True), 5.0)
    assert times.elapsed(99.0) == 5.0
    assert times.remaining(Stage("s", 2, 2, ended=True), 99.0) is None


def test_tokens_a_second_are_those_of_the_last_seconds():
    times = StageTimes.of(Stage("s", 0, 9, tokens=0), 0.0)
    for now, tokens in ((10.0, 100), (100.0, 200), (110.0, 1200)):
        times.update(Stage("s", 1, 9, tokens=tokens), now)
    assert times.tokens_per_second() == pytest.approx(100.0)


def test_seconds_are_written_as_a_clock():
    assert [clock(s) for s in (-1.5, 5, 65.9, 3723)] == ["0:00", "0:05", "1:05", "1:02:03"]


def test_ended_bars_are_printed_once_and_the_others_drawn_below():
    console = Console(file=io.StringIO(), width=80, force_terminal=True)
    with BarDisplay(console) as display:
        display.show(Stage("search", 0, 3))
        display.show(Stage("search", 3, 3, ended=True))
        display.show(Stage("search", 3, 3, ended=True))
        display.show(Stage("policy", 1, 3))
    said = console.file.getvalue()
    assert said.count("3/3") == 1
    assert said.index("3/3") < said.rindex("1/3")


def test_a_stage_that_was_over_before_anybody_saw_it_is_not_shown():
    console = Console(file=io.StringIO(), width=80, force_terminal=True)
    with BarDisplay(console) as display:
        display.show(Stage("prepare", 0, 0, ended=True))
    assert "prepare" not in console.file.getvalue()


def test_a_log_says_that_a_long_batch_is_still_under_way(monkeypatch):
    monkeypatch.setattr("rstar_async.telemetry.progress_display.HEARTBEAT_SECONDS", 0.0)
    console = Console(file=io.StringIO(), width=80)
    display = LineDisplay(console)
    for _ in range(3):
        display.show(Stage("search", 0, 24, "24 searches wait for their first steps"))
    assert console.file.getvalue().count("wait for their first steps") == 3


def test_a_log_has_few_lines_and_always_the_last_one():
    console = Console(file=io.StringIO(), width=80)
    display = LineDisplay(console)
    for done in range(11):
        display.show(Stage("search", done, 10, ended=done == 10))
    display.show(Stage("search", 10, 10, ended=True))
    assert [line.split()[1] for line in console.file.getvalue().splitlines()] == ["0/10", "10/10"]


def test_a_line_of_a_log_has_no_bar():
    times = StageTimes.of(Stage("search", 0, 4), 0.0)
    times.update(Stage("search", 1, 4, "1 solved"), 10.0)
    line = plain_line(Stage("search", 1, 4, "1 solved"), times, 10.0)
    assert line == "search  1/4  1 solved  0:10, 0:30 left"
