"""Jobs that killed their workers, kept on disk until a person has looked at them.

One file a job, written whole or not at all: the Submit header, the body, how its workers died.
"""

import os
import time
from pathlib import Path

import msgspec
import trio

from brokers.effects import WriteDeadLetter
from rstar_async.errors import BadInput
from rstar_async.wire.calls import Answer
from rstar_async.wire.codec import Malformed, read_payload
from rstar_async.wire.messages import Submit
from rstar_async.wire.pool import PoolClient


class DeadLetter(msgspec.Struct, frozen=True):
    """What one file holds; `written_at` is in seconds since 1970."""

    pool: str
    submit: Submit
    body: bytes
    deaths: int
    detail: str
    written_at: float = msgspec.field(name="buried_at")


def write_letter(folder: Path, pool: str, letter: WriteDeadLetter) -> Path:
    """Write the dead letter; a newer one for the same job replaces the older."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / f"{pool}-{letter.submit.job.hex()}.letter"
    kept = DeadLetter(pool, letter.submit, letter.body, letter.deaths, letter.detail, time.time())
    draft = file.with_suffix(".draft")
    draft.write_bytes(msgspec.msgpack.encode(kept))
    os.replace(draft, file)
    return file


def list_letters(folder: Path) -> list[Path]:
    """Return the dead letters in and below the folder, oldest first; `BadInput` without one."""
    if not folder.is_dir():
        raise BadInput(f"there is no folder {folder}")
    return sorted(folder.rglob("*.letter"), key=lambda file: file.stat().st_mtime)


def read_letter(file: Path) -> DeadLetter:
    """Read one dead letter; `BadInput` if the file is none."""
    try:
        return read_payload(file.read_bytes(), DeadLetter)
    except (OSError, Malformed) as error:
        raise BadInput(f"{file} is not a dead letter: {error}") from None


def show_letter(letter: DeadLetter) -> str:
    """Describe the dead letter in one line."""
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(letter.written_at))
    return (
        f"{when} pool={letter.pool} job={letter.submit.job.hex()} group={letter.submit.group} "
        f"bytes={len(letter.body)}: {letter.detail}"
    )


async def replay_letter(pool: PoolClient, file: Path) -> Answer:
    """Submit the job again with a clean record; delete the dead letter once it is answered."""
    letter = await trio.to_thread.run_sync(read_letter, file)
    submit = letter.submit
    answer = await pool.ask(
        submit.job,
        letter.body,
        group=submit.group,
        affinity=submit.affinity,
        priority=submit.priority,
        deadline=submit.deadline,
    )
    await trio.Path(file).unlink(missing_ok=True)
    return answer
