"""The log of a process: one event a line, with its facts as `key=value` or as JSON.

    log.info("worker joined", extra={"worker": name, "capacity": 8})

`facts(job=…, tree=…)` adds them to every line logged inside its block, in any module and in any
task started there: an engine that logs need not know which job it works on.
"""

import json
import logging
import sys
from contextvars import ContextVar
from datetime import datetime
from typing import Literal

Fact = str | int | float | bytes | None
Layout = Literal["text", "json"]

_facts: ContextVar[dict[str, Fact]] = ContextVar("facts")
_ORDINARY = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
# Libraries that log every request, and one that warns of all that it cannot load without a GPU.
_LEAST = {
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
    "alembic": logging.WARNING,
    "torchao": logging.ERROR,
    "torch.utils._pytree": logging.ERROR,  # what torchao asks of it is out of date
}


class facts:
    """Add these to every line logged inside, also by tasks started inside.

    A class, since one made by `contextmanager` costs three times as much, and each job enters one.
    """

    def __init__(self, **added: Fact) -> None:
        self._added = added

    def __enter__(self) -> None:
        self._token = _facts.set({**_facts.get({}), **self._added})

    def __exit__(self, *_: object) -> None:
        _facts.reset(self._token)


def begin_logs(process: str, layout: Layout = "text") -> None:
    """Log to standard error from now on, in the name of `process`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(process) if layout == "json" else TextLines(process))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name, level in _LEAST.items():
        logging.getLogger(name).setLevel(level)


class TextLines(logging.Formatter):
    """`time LEVEL process logger: message key=value …`, for people."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        words = [
            _time(record).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3],
            record.levelname,
            self._process,
            f"{record.name}: {record.getMessage()}",
            *(f"{key}={_word(value)}" for key, value in _facts_of(record).items()),
        ]
        return "\n".join([" ".join(words), *_traceback(self, record)])


class JsonLines(logging.Formatter):
    """One JSON object a line, for collectors."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": _time(record).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "process": self._process,
            "logger": record.name,
            "message": record.getMessage(),
            **_facts_of(record),
        }
        if lines := _traceback(self, record):
            line["traceback"] = "\n".join(lines)
        return json.dumps(line, default=_plain)


def _facts_of(record: logging.LogRecord) -> dict[str, Fact]:
    own = {key: value for key, value in vars(record).items() if key not in _ORDINARY}
    return {**_facts.get({}), **own}


def _time(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created).astimezone()


def _traceback(formatter: logging.Formatter, record: logging.LogRecord) -> list[str]:
    return [formatter.formatException(record.exc_info)] if record.exc_info else []


def _word(value: Fact) -> str:
    text = value.hex() if isinstance(value, bytes) else str(value)
    return text if text and text.isprintable() and " " not in text else json.dumps(text)


def _plain(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
