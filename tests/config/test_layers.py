import pytest

from rstar_async.config.layers import flattened, merged, read_layers, unflattened
from rstar_async.config.loader import read_recipe
from rstar_async.errors import BadInput


def write(tmp_path, **files: str):
    for name, text in files.items():
        (tmp_path / f"{name}.toml").write_text(text)


def test_a_later_layer_wins_key_by_key():
    under = {"search": {"rollouts": 1, "candidates": 2}, "seed": 1}
    assert merged(under, {"search": {"rollouts": 3}}) == {
        "search": {"rollouts": 3, "candidates": 2},
        "seed": 1,
    }
    assert under["search"]["rollouts"] == 1


def test_dotted_keys_and_sections_are_the_same_thing():
    flat = {"search.rollouts": 1, "search.candidates": 2, "seed": 3}
    assert unflattened(flat) == {"search": {"rollouts": 1, "candidates": 2}, "seed": 3}
    assert flattened(unflattened(flat)) == flat


def test_an_extending_file_adds_its_rounds_and_changes_the_rest(tmp_path):
    write(
        tmp_path,
        one='name = "run"\nseed = 1\n[[rounds]]\nrollouts = 8\n',
        two='extends = "one.toml"\nseed = 2\n[[rounds]]\nrollouts = 16\n',
        three='extends = "two.toml"\n[[rounds]]\nrollouts = 32\n',
    )
    recipe = read_recipe(tmp_path / "three.toml")
    assert [r.rollouts for r in recipe.rounds] == [8, 16, 32]
    assert (recipe.name, recipe.seed) == ("run", 2)


def test_files_that_extend_each_other_are_refused(tmp_path):
    write(tmp_path, one='extends = "two.toml"', two='extends = "one.toml"')
    with pytest.raises(BadInput, match="which extends it"):
        read_layers(tmp_path / "one.toml")


def test_a_file_that_is_extended_and_missing_is_named(tmp_path):
    write(tmp_path, one='extends = "none.toml"')
    with pytest.raises(BadInput, match=r"no recipe .*none\.toml"):
        read_layers(tmp_path / "one.toml")
