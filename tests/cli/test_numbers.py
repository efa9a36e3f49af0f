"""Every option of every verb that takes a number has bounds, and refuses what lies outside."""

import argparse
import importlib

import pytest

from rstar_async.cli.main import MODULES, VERBS, main
from rstar_async.cli.numbers import amount, whole

OUTSIDE = ["-1", "nan", "inf", "1e308", str(2**63), "9" * 5_000, "x", "", "\udc80"]


def options(parser: argparse.ArgumentParser, words: tuple[str, ...]):
    """Each option with the words that lead to it, those of inner verbs too."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, inner in action.choices.items():
                yield from options(inner, (*words, name))
        elif action.option_strings:
            yield words, action


def every_option():
    for verb in VERBS:
        module = importlib.import_module(f"rstar_async.cli.{MODULES.get(verb, verb)}")
        parser = argparse.ArgumentParser()
        module.add_arguments(parser)
        yield from options(parser, (verb,))


NUMBERS = [
    (*words, action.option_strings[-1])
    for words, action in every_option()
    if getattr(action.type, "__module__", "") == "rstar_async.cli.numbers"
]


def test_no_option_takes_a_number_without_bounds():
    assert not [
        (words, action.dest) for words, action in every_option() if action.type in (int, float)
    ]
    assert ("export", "--per-problem") in NUMBERS
    assert ("db", "prune", "--round") in NUMBERS
    assert len(NUMBERS) >= 14


@pytest.mark.parametrize("words", NUMBERS, ids=" ".join)
def test_a_number_outside_is_refused_in_one_line_that_names_the_option(words, capsys):
    for value in OUTSIDE:
        assert main([*words[:-1], f"{words[-1]}={value}"]) == 2
        said = capsys.readouterr().err
        assert said.startswith(f"rstar: argument {words[-1]}: give a ")
        assert said.count("\n") == 1
        assert len(said) < 300


def test_the_bounds_themselves_are_taken():
    assert [whole(1, 5)(text) for text in ("1", "5")] == [1, 5]
    assert amount(0, 2)("2") == 2.0
    for text in ("0", "2.1"):
        with pytest.raises(argparse.ArgumentTypeError):
            amount(0, 2)(text)
