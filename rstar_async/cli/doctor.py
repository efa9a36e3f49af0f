"""`rstar doctor`: what this machine offers the sandbox, what it lacks, and whether it is safe."""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument(
        "--allow",
        action="append",
        default=[],
        choices=["no-landlock", "no-listener"],
        help="check the weaker sandbox without this protection",
    )


def run(arguments: argparse.Namespace) -> int:
    """Check, start a sandbox and attack it; 1 if an executor would refuse to serve here."""
    import dataclasses
    import json

    import trio

    from workers.sandbox import Options
    from workers.sandbox.selftest.doctor import doctor

    facts = trio.run(doctor, Options(allow=arguments.allow))
    if arguments.json:
        print(json.dumps({**dataclasses.asdict(facts), "healthy": facts.healthy}, indent=2))
    else:
        for name, value in dataclasses.asdict(facts).items():
            shown = "; ".join(value) or "none" if isinstance(value, tuple) else value
            print(f"{name.replace('_', ' '):17} {shown}")
        print("an executor would serve here" if facts.healthy else "an executor would refuse here")
    return 0 if facts.healthy else 1
