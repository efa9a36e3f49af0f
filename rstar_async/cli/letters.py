"""`rstar letters`: dead letters, the jobs that killed three workers."""

import argparse
from pathlib import Path

from rstar_async.errors import BadInput


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=["list", "show", "replay"])
    parser.add_argument("path", type=Path, help="folder of a run to list; else one dead letter")
    parser.add_argument("--broker", metavar="ENDPOINT", help="where to replay: a clients' endpoint")
    parser.add_argument("--keys", type=Path, help="this client's CURVE keys")


def run(arguments: argparse.Namespace) -> int:
    """List the dead letters of a folder, show one with its size, or submit it again."""
    from brokers.dead_letters import list_letters, read_letter, show_letter

    if arguments.action == "list":
        for file in list_letters(arguments.path):
            print(f"{file}  {show_letter(read_letter(file))}")
        return 0
    if arguments.action == "show":
        print(show_letter(read_letter(arguments.path)))
        return 0
    if not arguments.broker:
        raise BadInput("give --broker ENDPOINT to say where the dead letter is to be replayed")
    return _replay(arguments.path, arguments.broker, arguments.keys)


def _replay(file: Path, endpoint: str, keys: Path | None) -> int:
    import trio

    from brokers.dead_letters import replay_letter
    from rstar_async.errors import JobFailed
    from rstar_async.wire.pool import open_pool

    async def replay() -> int:
        async with open_pool(endpoint, name="letters", keys=keys) as pool:
            try:
                answer = await replay_letter(pool, file)
            except JobFailed as failure:
                print(f"it failed again: {failure}")
                return 1
            print(f"answered by {answer.worker} in {answer.seconds:.1f} s; deleted the dead letter")
            return 0

    return trio.run(replay)
