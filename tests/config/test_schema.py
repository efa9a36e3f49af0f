import json
from collections.abc import Iterator

import msgspec
import pytest
from msgspec.inspect import FloatType, IntType, StructType, VarTupleType

from rstar_async.config import Recipe
from rstar_async.config.layers import flattened
from rstar_async.config.loader import as_toml_values, changed, read_recipe, read_stored_recipe
from rstar_async.config.schema import Number, fields_of, out_of_bounds
from rstar_async.errors import BadInput


def numbers_in(section: type[msgspec.Struct], prefix: str = "") -> Iterator[tuple[str, Number]]:
    """Every number in a recipe, by dotted name; `[]` stands for any element of a list."""
    for name, kind in fields_of(section).items():
        is_list = isinstance(kind, VarTupleType)
        inner, path = (kind.item_type, f"{prefix}{name}[]") if is_list else (kind, prefix + name)
        if isinstance(inner, StructType):
            yield from numbers_in(inner.cls, f"{path}.")
        elif isinstance(inner, IntType | FloatType):
            yield path, inner


NUMBERS = dict(numbers_in(Recipe))
SETTINGS = [name for name in NUMBERS if "[]" not in name]


def nested(name: str, value: object) -> dict[str, object]:
    """A recipe in which the number `name` is `value`."""
    head, _, rest = name.partition(".")
    inner = nested(rest, value) if rest else value
    return {head.removesuffix("[]"): [inner] if head.endswith("[]") else inner}


def outside(number: Number) -> list[float]:
    below = number.gt if number.ge is None else number.ge - 1
    above = number.lt if number.le is None else number.le * 2 + 1
    return [below, above, -1e308, 1e308, 10**30, float("nan"), float("inf"), float("-inf")]


def test_the_walk_finds_the_numbers_of_all_kinds_of_fields():
    assert {"seed", "rounds[].rollouts", "rounds[].levels[]", "policy.lora.rank"} < NUMBERS.keys()
    plain = flattened(as_toml_values(Recipe()))
    assert set(SETTINGS) == {name for name, value in plain.items() if type(value) in (int, float)}


@pytest.mark.parametrize("name", NUMBERS)
def test_every_number_has_bounds_and_is_refused_outside_them(name):
    number = NUMBERS[name]
    assert (number.ge is None) != (number.gt is None)
    assert (number.le is None) != (number.lt is None)
    for value in outside(number):
        (fault,) = out_of_bounds(nested(name, value))
        assert fault.startswith(f"{name.replace('[]', '[1]')} is ")
        assert ", but must be " in fault


def test_the_defaults_are_within_their_bounds():
    assert list(out_of_bounds(as_toml_values(Recipe()))) == []


@pytest.mark.parametrize("name", SETTINGS)
def test_the_command_line_is_refused_in_one_line_with_name_value_and_bounds(name):
    for value in ("-1", "nan", "inf", "1e308", "9" * 40):
        with pytest.raises(BadInput) as refused:
            changed(Recipe(), [(name, value)])
        assert f"{name} is " in str(refused.value)
        assert "must be" in str(refused.value)
        assert "\n" not in str(refused.value)


def test_a_recipe_and_a_stored_recipe_are_refused_alike(tmp_path):
    reason = "execution.wall_seconds is 0, but must be above 0 and at most 10,000,000"
    (tmp_path / "r.toml").write_text("[execution]\nwall_seconds = 0\n")
    with pytest.raises(BadInput, match=reason):
        read_recipe(tmp_path / "r.toml")
    (tmp_path / "recipe.json").write_text(json.dumps({"execution": {"wall_seconds": 0}}))
    with pytest.raises(BadInput, match=reason):
        read_stored_recipe(tmp_path / "recipe.json")


def test_a_number_of_thousands_of_digits_is_refused(tmp_path):
    with pytest.raises(BadInput, match=r"search\.rollouts"):
        changed(Recipe(), [("search.rollouts", "9" * 5000)])
    (tmp_path / "r.toml").write_text(f"seed = {'9' * 5000}\n")
    with pytest.raises(BadInput, match=r"r\.toml"):
        read_recipe(tmp_path / "r.toml")
