"""Runs steps in the one namespace of a program and reports how the last of them ended.

A step fails only by an exception (or by the death of its process, which the guard reports); its
output is never inspected. Timers, trace functions and signal masks do not outlive their step, so
a program replayed in one process behaves like one continued over many.
"""

import _signal  # type: ignore[import-not-found]
import ast
import builtins
import linecache
import os
import signal
import sys
from collections.abc import Sequence
from types import CodeType, TracebackType
from typing import Any, TextIO, TypeAlias

from .frames import KIND_CHARACTERS, Report

# A copy: a program that breaks `isinstance` breaks it only for itself.
__builtins__ = dict(vars(builtins))  # type: ignore[assignment]

Namespace: TypeAlias = dict[str, Any]

_TIMERS = (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF)
_ALL_SIGNALS = tuple(map(int, signal.valid_signals()))  # small ones, which lie side by side
# The C function: its wrapper in `signal` is Python, and builds an enum for every signal.
_block, _setitimer = _signal.pthread_sigmask, signal.setitimer
_settrace, _setprofile = sys.settrace, sys.setprofile
_dup2, _compile, _cache = os.dup2, compile, linecache.cache
_AST_ONLY = ast.PyCF_ONLY_AST


class Steps:
    """The steps of one request, run in order; the output of all but the last is discarded."""

    def __init__(self, names: Namespace, stream: TextIO, value_limit: int, text_limit: int) -> None:
        self._names = names
        self._stream = stream
        self._value_limit = value_limit
        self._text_limit = text_limit

    def run(self, steps: Sequence[str], first: int, output: int, nowhere: int) -> Report:
        """Run `steps`, which are number `first` and following of the program."""
        last = first + len(steps) - 1
        for number, source in enumerate(steps, first):
            _dup2(output if number == last else nowhere, 1)
            report = self._run_one(source, number)
            if not report.ok:
                return report
            if report.ended and number != last:
                return _failure("SystemExit", "the program had ended itself", number, 0)
        return report

    def _run_one(self, source: str, number: int) -> Report:
        name = f"<step {number}>"
        _cache[name] = (len(source), None, (source + "\n").splitlines(True), name)
        try:
            try:
                _block(signal.SIG_UNBLOCK, _ALL_SIGNALS)
                value = self._evaluate(source, name)
            finally:
                _settrace(None)  # before any other call, which it would trace
                reset_process_state()
            report = Report(True, False, -1, 0, "", value)
        except SystemExit as error:
            report = self._exit(error, name, number, len(source) + 1)
        except BaseException as error:
            report = self._explain(error, name, number, len(source) + 1)
        self._flush()
        return report

    def _evaluate(self, source: str, name: str) -> str:
        body, tail = _split(source, name)
        exec(body, self._names)
        if tail is None:
            return ""
        value = eval(tail, self._names)
        return "" if value is None else clip(repr(value), self._value_limit)

    def _exit(self, error: SystemExit, name: str, number: int, last_line: int) -> Report:
        if error.code is None or error.code is False or error.code == 0:
            return Report(True, True, -1, 0, "", "")
        return self._explain(error, name, number, last_line)

    def _explain(self, error: BaseException, name: str, number: int, last_line: int) -> Report:
        line = _line(error, name)
        line = line if type(line) is int and 0 <= line <= last_line else 0  # a program can set it
        error.__traceback__ = None  # frees what may have filled the memory
        try:
            kind = "MemoryError" if isinstance(error, MemoryError) else type(error).__name__
            kind, text = clip(kind, KIND_CHARACTERS), clip(str(error), self._text_limit)
        except BaseException:
            kind, text = "Exception", "<the exception cannot be printed>"
        finally:
            reset_process_state()
        return _failure(kind, text, number, line)

    def _flush(self) -> None:
        streams = [self._stream] if sys.stdout is self._stream else [sys.stdout, self._stream]
        for stream in streams:
            try:
                stream.flush()
            except BaseException:
                reset_process_state()


def reset_process_state() -> None:
    """Leave nothing of the program running: no timer, no trace function, no pending signal."""
    for _ in range(4):  # a handler that still fires may raise here: begin again
        try:
            _block(signal.SIG_BLOCK, _ALL_SIGNALS)
            _settrace(None)
            _setprofile(None)
            for timer in _TIMERS:
                _setitimer(timer, 0)
            return
        except BaseException:
            continue


def clip(text: str, limit: int) -> str:
    """The first `limit` characters as a real `str`, also of a subclass; a lone surrogate counts as
    the characters of its escape."""
    text = str.__getitem__(text, slice(0, limit))
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode()[:limit]


def _split(source: str, name: str) -> tuple[CodeType, CodeType | None]:
    """The step without its final expression, and that expression."""
    tree = _compile(source, name, "exec", _AST_ONLY, dont_inherit=True)
    if not tree.body or not isinstance(tree.body[-1], ast.Expr):
        return _compile(tree, name, "exec", dont_inherit=True), None
    tail = ast.Expression(tree.body.pop().value)
    body = _compile(tree, name, "exec", dont_inherit=True)
    return body, _compile(tail, name, "eval", dont_inherit=True)


def _line(error: BaseException, name: str) -> int:
    """The innermost line of this step in the traceback; 0 if there is none."""
    if isinstance(error, SyntaxError) and error.filename == name:
        return error.lineno or 0
    line, trace = 0, error.__traceback__
    while trace is not None:
        line, trace = _within(trace, name, line), trace.tb_next
    return line


def _within(trace: TracebackType, name: str, line: int) -> int:
    return trace.tb_lineno if trace.tb_frame.f_code.co_filename == name else line


def _failure(kind: str, text: str, number: int, line: int) -> Report:
    return Report(False, False, number, line, kind, text)
