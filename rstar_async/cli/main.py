"""`rstar VERB`: finds the verb's module, runs it, and turns errors into exit codes."""

import argparse
import difflib
import importlib
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from rstar_async.cli.recipe_arguments import split_overrides
from rstar_async.errors import BadInput

VERBS = {
    "demo": "the whole loop on a tiny model, in minutes, without a GPU",
    "run": "search, train and measure, round after round",
    "solve": "search one question; prints the answer with its code",
    "evaluate": "accuracy over the number of trajectories, with baselines",
    "compare": "runs side by side, with paired intervals",
    "report": "the table of rounds of a run; a page, Markdown, JSON",
    "view": "a web page over a run, finished or running",
    "status": "how far a running system is, its brokers and workers",
    "workers": "more workers for a run that goes on, here or as jobs of Slurm",
    "trajectories": "solutions whose answer was verified, best first",
    "tree": "one search tree in the terminal",
    "models": "model versions of a run: lineage, status, rollback",
    "settings": "all settings of a recipe, with defaults and bounds",
    "presets": "what differs between the paper, its code and a recipe",
    "train": "train a policy or a PPM from files alone",
    "export": "training files of a run: the released code's, TRL's",
    "import": "trees of the released code into a store",
    "verify": "check a file of answer pairs for equivalence",
    "db": "maintain a database: upgrade, check, prune, export",
    "letters": "jobs that killed their workers: list, show, replay",
    "keys": "make keys for brokers that listen beyond this machine",
    "doctor": "what this machine offers the sandbox, what is missing",
    "sandbox": "run a folder of attack programs against the sandbox",
}

# Verbs whose module cannot have their name.
MODULES = {"import": "import_trees"}

HELP = ("-h", "--help", "help")
VERSION = ("-V", "--version", "version")

BAD_INPUT = 2
INTERRUPTED = 130


class Parser(argparse.ArgumentParser):
    """Tells what is wrong with its words as bad input, in one line."""

    def error(self, message: str) -> NoReturn:
        raise BadInput(f"{message} ({self.prog} --help)")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; bad input is one line on standard error and exit code 2."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        return _run(words)
    except BadInput as error:
        return _refused(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # `rstar trajectories | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:  # a name that is too long, a folder that may not be entered, …
        name = "" if error.filename is None else f"{error.filename}: "
        return _refused(f"{name}{error.strerror or error}")


def _refused(reason: str) -> int:
    """One line, whatever the reason quotes; a terminal narrower than it folds it between words."""
    from rstar_async.sanitize import one_line
    from rstar_async.telemetry.folding import say

    say(one_line(reason))
    return BAD_INPUT


def _run(words: list[str]) -> int:
    if not words or words[0] in HELP:
        return _help(words[1:])
    if words[0] in VERSION:
        return _version()
    if words[0] not in VERBS:
        raise BadInput(f"there is no {words[0]!r}; {_nearest(words[0])}")
    verb = importlib.import_module(f"rstar_async.cli.{MODULES.get(words[0], words[0])}")
    own = Parser(prog=f"rstar {words[0]}", description=VERBS[words[0]])
    verb.add_arguments(own)
    rest: list[str] = words[1:]
    overrides: list[tuple[str, str]] = []
    if getattr(verb, "TAKES_OVERRIDES", False):
        rest, overrides = split_overrides(rest)
    arguments = own.parse_args(rest)
    arguments.overrides = overrides
    code: int = verb.run(arguments)
    return code


def _help(words: list[str]) -> int:
    """`rstar`, `rstar --help`, and `rstar help VERB`."""
    if words and words[0] in VERBS:
        return _run([words[0], "--help"])
    _parser().print_help()
    return 0


def _version() -> int:
    from importlib.metadata import version

    print(f"rstar {version('rstar-async')}")
    return 0


def _nearest(word: str) -> str:
    """The verb that was probably meant."""
    close = difflib.get_close_matches(word, [*VERBS, "help"], n=1, cutoff=0.5)
    return f"did you mean `rstar {close[0]}`?" if close else "`rstar --help` lists all verbs"


def _parser() -> Parser:
    width = max(map(len, VERBS))
    table = "\n".join(f"  {verb:{width}}  {text}" for verb, text in VERBS.items())
    return Parser(
        prog="rstar",
        usage="rstar VERB ...",
        description="Small language models teach themselves mathematics (rStar-Math).",
        epilog=f"verbs:\n{table}\n\n`rstar VERB --help` explains one.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
