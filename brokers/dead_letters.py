"""Jobs that killed their workers, kept on disk until a human has looked at them.

One file a job, written whole or not at all: the Submit header, the body, the story of its deaths.
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
    """What one file holds; `buried_at` is in seconds since 1970."""

    pool: str
    submit: Submit
    body: bytes
    deaths: int
    detail: str
    buried_at: float


def write_letter(folder: Path, pool: str, letter: WriteDeadLetter) -> Path:
    """Keep the letter; a newer one for the same job replaces the older."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / f"{pool}-{letter.submit.job.hex()}.letter"
    kept = DeadLetter(pool, letter.submit, letter.body, letter.deaths, letter.detail, time.time())
    draft = file.with_suffix(".draft")
    draft.write_bytes(msgspec.msgpack.encode(kept))
    os.replace(draft, file)
    return file


def list_letters(folder: Path) -> list[Path]:
    """Return the letters in the folder and below, the oldest first; `BadInput` if it is none."""
    if not folder.is_dir():
        raise BadInput(f"there is no folder {folder}")
    return sorted(folder.rglob("*.letter"), key=lambda file: file.stat().st_mtime)


def read_letter(file: Path) -> DeadLetter:
    """Open one letter; `BadInput` if it is none."""
    try:
        return read_payload(file.read_bytes(), DeadLetter)
    except (OSError, Malformed) as error:
        raise BadInput(f"{file} is not a dead letter: {error}") from None


def show_letter(letter: DeadLetter) -> str:
    """Describe the letter in one line."""
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(letter.buried_at))
    return (
        f"{when} pool={letter.pool} job={letter.submit.job.hex()} group={letter.submit.group} "
        f"bytes={len(letter.body)}: {letter.detail}"
    )


async def replay_letter(pool: PoolClient, file: Path) -> Answer:
    """Submit the job again with a clean record; the letter is deleted once it is answered."""
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
