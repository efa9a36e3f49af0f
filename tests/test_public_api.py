"""The public API by its examples, each as a user runs it, with the demo's model."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import rstar_async

EXAMPLES = Path(__file__).parents[1] / "examples"
QUESTION = "What is 3 + 4 + 5?"


def run(*words: str) -> str:
    done = subprocess.run(
        [sys.executable, *words],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_one_question_is_searched():
    said = run(str(EXAMPLES / "search_one.py"))
    assert "answer: 17" in said
    assert "print(coins)" in said


def test_a_verifier_decides_what_is_right():
    assert "answer: 18 right: True" in run(str(EXAMPLES / "custom_verifier.py"))


def test_a_reward_stands_in_for_a_ppm():
    said = run(str(EXAMPLES / "custom_reward.py"))
    assert "Q +" in said
    assert "answer: " in said


def test_importing_the_package_imports_nothing_heavy():
    heavy = ("trio", "zmq", "msgspec", "sqlalchemy", "torch", "numpy")
    code = f"import rstar_async, sys; print([m for m in {heavy} if m in sys.modules])"
    assert run("-c", code).strip() == "[]"


@pytest.mark.parametrize("name", rstar_async.__all__)
def test_every_public_name_exists(name):
    assert getattr(rstar_async, name) is not None


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'search_two'"):
        rstar_async.search_two  # noqa: B018


@pytest.mark.parametrize("package", ["rstar_async", "brokers", "workers", "storage"])
def test_the_packages_are_typed(package):
    assert (Path(__file__).parents[1] / package / "py.typed").is_file()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"question": " "}, "the question is empty"),
        ({"model": "/nowhere"}, "there is no folder /nowhere"),
        ({"model": "owner/name"}, "`rstar run --model owner/name` publishes it"),
        ({"rollouts": 0}, "search.rollouts is 0"),
        ({"settings": {"search.max_dept": 3}}, "did you mean 'search.max_depth'"),
        ({"settings": {"problems.domain": "chess"}}, "there is no domain 'chess'"),
        ({"brokers": "/nowhere"}, "there is no run at /nowhere"),
    ],
)
def test_bad_input_is_named(arguments, complaint):
    with pytest.raises(rstar_async.BadInput, match=complaint):
        rstar_async.search_one(**{"question": QUESTION, "model": "demo", **arguments})
