import os
from pathlib import Path

from rstar_async.launch.log_file import LogFile


def test_a_log_is_continued_not_replaced(tmp_path: Path) -> None:
    LogFile(tmp_path, "a").note("one")
    LogFile(tmp_path, "a").note("two")
    assert (tmp_path / "a.log").read_text() == "one\ntwo\n"


def test_a_log_past_its_limit_is_moved_aside_while_it_is_written(tmp_path: Path) -> None:
    log = LogFile(tmp_path, "a", limit_bytes=10)
    writer = log.open()
    os.write(writer, b"a long first line\n")
    log.trim()
    os.write(writer, b"next\n")
    log.trim()
    os.close(writer)
    assert (tmp_path / "a.log").read_text() == "next\n"
    assert (tmp_path / "a.log.1").read_text() == "a long first line\n"


def test_a_missing_log_has_no_last_lines(tmp_path: Path) -> None:
    assert LogFile(tmp_path, "a").last_lines(3) == []


def test_the_last_lines_skip_blank_ones_and_survive_broken_text(tmp_path: Path) -> None:
    log = LogFile(tmp_path, "a")
    log.path.write_bytes(b"one\n\n\xff two\n  \nthree\n")
    assert log.last_lines(2) == ["\ufffd two", "three"]
