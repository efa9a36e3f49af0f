"""A stage as lines of text that fit a terminal's width. Pure."""

from rich.text import Text

from rstar_async.telemetry.stage_times import Stage, StageTimes, clock

TITLE = 26
BAR = 30
SMALLEST_BAR = 8
INDENT = 4


def stage_lines(stage: Stage, times: StageTimes, now: float, width: int) -> list[Text]:
    """One line with the bar and all numbers, and the note behind it or, if it does not fit there,
    on a line below."""
    numbers = _numbers(stage)
    time = clock(times.elapsed(now))
    if (left := times.remaining(stage, now)) is not None:
        time += f", {clock(left)} left"
    note = note_of(stage, times)
    title = stage.title.ljust(TITLE)
    fixed = len(title) + len(numbers) + len(time) + 6
    length = max(0, min(BAR, width - fixed - 1))
    line = Text(f"{title} ", no_wrap=True, overflow="ellipsis")
    if length >= SMALLEST_BAR:
        line.append_text(_bar(stage, length))
        line.append("  ")
    line.append(f"{numbers}  " if numbers else "", style="bold").append(time, style="cyan")
    if not note:
        return [line]
    if line.cell_len + 2 + len(note) <= width:
        return [line.append(f"  {note}", style="dim")]
    below = Text(" " * INDENT + note, style="dim", no_wrap=True, overflow="ellipsis")
    return [line, below]


def _numbers(stage: Stage) -> str:
    if stage.total:
        return f"{stage.done:,}/{stage.total:,}"
    return f"{stage.done:,}/?" if stage.done else ""


def note_of(stage: Stage, times: StageTimes) -> str:
    """The note with the rate of tokens."""
    rate = None if stage.ended else times.tokens_per_second()
    parts = [stage.note, f"{rate:,.0f} tokens/s" if rate else ""]
    return " · ".join(part for part in parts if part)


def plain_line(stage: Stage, times: StageTimes, now: float) -> str:
    """The same for a log."""
    left = times.remaining(stage, now)
    parts = [
        f"{stage.title}  {_numbers(stage)}".rstrip(),
        note_of(stage, times),
        clock(times.elapsed(now)) + ("" if left is None else f", {clock(left)} left"),
    ]
    return "  ".join(part for part in parts if part)


def _bar(stage: Stage, length: int) -> Text:
    """Full when the stage has ended, empty while its total is not known."""
    share = min(1.0, stage.done / stage.total) if stage.total else float(stage.ended)
    filled = int(share * length)
    done, rest = "━" * filled, "━" * (length - filled)
    return Text.assemble((done, "green" if filled == length else "magenta"), (rest, "bright_black"))
