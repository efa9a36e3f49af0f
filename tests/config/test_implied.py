"""How round 1 gets a policy that knows the format, where the recipe does not say."""

import pytest

from rstar_async.config.loader import read_recipe
from rstar_async.errors import BadInput


def kind(*overrides: tuple[str, str], started_with: dict | None = None) -> str:
    return read_recipe(None, overrides, started_with).bootstrap.kind


def test_a_foreign_model_is_prompted_and_the_demos_models_know_the_format():
    assert kind(("model.base", "some/model")) == "few_shot"
    assert kind() == "checkpoint"
    assert kind(("model.base", "demo-programs")) == "checkpoint"


def test_solved_examples_are_learnt_from():
    assert kind(("model.base", "some/model"), ("bootstrap.source", "f.jsonl")) == "demonstrations"
    assert kind(("bootstrap.source", "f.jsonl")) == "demonstrations"
    assert kind(("preset", "paper"), ("bootstrap.source", "f.jsonl")) == "demonstrations"


def test_what_is_given_is_kept():
    assert kind(("bootstrap.kind", "few_shot")) == "few_shot"
    assert kind(started_with={"bootstrap": {"kind": "few_shot"}}) == "few_shot"


def test_examples_that_nothing_would_learn_from_are_refused():
    with pytest.raises(BadInput, match=r"bootstrap\.kind must be demonstrations"):
        kind(("bootstrap.source", "f.jsonl"), ("bootstrap.kind", "few_shot"))
