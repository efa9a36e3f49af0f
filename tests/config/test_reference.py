from pathlib import Path

from rstar_async.config import Recipe
from rstar_async.config.layers import flattened
from rstar_async.config.loader import as_toml_values
from rstar_async.config.reference import markdown, sections, settings

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


def test_every_setting_stands_in_the_reference_with_its_default():
    defaults = flattened(as_toml_values(Recipe()))
    del defaults["rounds"]
    found = {one.name: one.default for one in settings() if "[]" not in one.name}
    assert found.keys() == defaults.keys() | {"workers.options"}
    assert found["search.rollouts"] == "8"
    assert found["policy.train"] == "true"
    assert found["problems.heldout"] == '"auto"'


def test_every_setting_and_every_section_is_explained():
    assert [one.name for one in settings() if len(one.comment) < 8] == []
    assert [one.name for one in sections() if not one.summary] == []


def test_values_are_given_in_words():
    values = {one.name: one.values for one in settings()}
    assert values["search.rollouts"] == "whole number from 1 to 1,000,000"
    assert values["answers.rules"] == '"reference" or "strict"'
    assert values["problems.heldout"].startswith("whole number from 0")
    assert values["problems.heldout"].endswith('or "auto"')
    assert values["rounds[].guidance"] == '"ppm" or "terminal"'


def test_the_page_of_the_documentation_is_up_to_date():
    said = "run: python -m rstar_async.config.reference > docs/settings.md"
    assert PAGE.read_text() == markdown(), said
