"""No command of the README is forgotten by those who try it."""

import ast
import dataclasses
import inspect

import pytest

import rstar_async
from tests.system import readme
from tests.system.readme import EXCUSED, LOOKED_AT, MADE, RUN, VIEW


def test_every_command_of_the_readme_is_typed_or_excused():
    assert len(readme.commands()) > 10
    assert {*readme.commands()} == {RUN, VIEW, *LOOKED_AT, *MADE, *EXCUSED}


@pytest.mark.parametrize("command", EXCUSED)
def test_an_excuse_names_the_place_that_does_it_instead(command):
    named = [word for word in EXCUSED[command].split() if "/" in word]
    assert named
    assert all((readme.ROOT / name).is_file() for name in named)


def test_the_python_of_the_readme_calls_what_there_is():
    """examples/search_one.py, which is run elsewhere, makes the same call."""
    (call,) = [
        node
        for node in ast.walk(ast.parse(readme.python_block()))
        if isinstance(node, ast.Call) and "search_one" in ast.unparse(node.func)
    ]
    names = [word.arg for word in call.keywords]
    inspect.signature(rstar_async.search_one).bind(*call.args, **dict.fromkeys(names))
    assert "result.answer" in readme.python_block()
    assert "answer" in {field.name for field in dataclasses.fields(rstar_async.SearchResult)}
