"""`rstar letters` lists, shows and replays dead letters, also with keys."""

import socket
from pathlib import Path

import pytest
import trio

from brokers.broker import Broker
from brokers.dead_letters import write_letter
from brokers.effects import WriteDeadLetter
from rstar_async.cli.main import main
from rstar_async.wire.keys import load_broker_keys, make_keys
from rstar_async.wire.messages import Submit, job_id
from workers.worker import Job, serve


def dead_letter(home: Path) -> Path:
    letter = WriteDeadLetter(
        Submit(job_id("poison"), "tree"), b"body", 3, "3 workers died running it"
    )
    return write_letter(home / "letters" / "executor", "executor", letter)


def test_dead_letters_of_a_run_are_listed_and_shown(tmp_path, capsys):
    file = dead_letter(tmp_path)
    assert main(["letters", "list", str(tmp_path)]) == 0
    listed = capsys.readouterr().out
    assert str(file) in listed
    assert "3 workers died running it" in listed
    assert main(["letters", "show", str(file)]) == 0
    assert "group=tree bytes=4" in capsys.readouterr().out


def test_a_run_without_dead_letters_lists_nothing(tmp_path, capsys):
    assert main(["letters", "list", str(tmp_path)]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["list", "/nowhere"], "there is no folder /nowhere"),
        (["show", "/nowhere"], "/nowhere is not a dead letter"),
        (["replay", "/nowhere"], "give --broker ENDPOINT"),
    ],
)
def test_bad_input_is_one_line(words, complaint, capsys):
    assert main(["letters", *words]) == 2
    assert complaint in capsys.readouterr().err


async def test_a_dead_letter_is_replayed_to_a_broker_with_keys(tmp_path):
    file = dead_letter(tmp_path)
    make_keys(tmp_path / "keys", ["operator"], ["worker"])
    clients, workers = (f"tcp://127.0.0.1:{free_port()}" for _ in range(2))

    async def handle(job: Job) -> bytes:
        return job.body

    words = ["letters", "replay", str(file), "--broker", clients]
    words += ["--keys", str(tmp_path / "keys" / "operator")]
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            keys = load_broker_keys(tmp_path / "keys" / "broker")
            broker = Broker("executor", clients=clients, workers=workers, keys=keys)
            nursery.start_soon(broker.run)
            worker_keys = tmp_path / "keys" / "worker"
            nursery.start_soon(
                lambda: serve(workers, "worker", 1, handle, keys=worker_keys, drain=trio.Event())
            )
            assert await trio.to_thread.run_sync(main, words) == 0
            nursery.cancel_scope.cancel()
    assert not file.exists()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
