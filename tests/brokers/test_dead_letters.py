"""Dead letters on disk."""

import msgspec

from brokers.dead_letters import read_letter, write_letter
from brokers.effects import WriteDeadLetter
from rstar_async.wire.messages import Submit, job_id

SUBMIT = Submit(job_id("poison"), "tree")


def test_a_dead_letter_is_read_as_it_was_written(tmp_path):
    file = write_letter(tmp_path, "executor", WriteDeadLetter(SUBMIT, b"body", 3, "3 died"))
    letter = read_letter(file)
    assert (letter.pool, letter.submit, letter.body) == ("executor", SUBMIT, b"body")
    assert (letter.deaths, letter.detail) == (3, "3 died")


def test_dead_letters_of_earlier_versions_can_be_read(tmp_path):
    stored = {
        "pool": "executor", "submit": SUBMIT, "body": b"body", "deaths": 3, "detail": "3 died",
        "buried_at": 1.5,
    }  # fmt: skip
    (tmp_path / "old.letter").write_bytes(msgspec.msgpack.encode(stored))
    assert read_letter(tmp_path / "old.letter").written_at == 1.5
