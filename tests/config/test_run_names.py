import pytest

from rstar_async.config.loader import read_recipe
from rstar_async.errors import BadInput


@pytest.mark.parametrize("name", ["../../x", "a/b", "..", "."])
def test_a_name_stays_below_the_folder_of_all_runs(name):
    with pytest.raises(BadInput, match="cannot name a folder"):
        read_recipe(None, [("name", name)])


def test_a_home_of_its_own_does_not_depend_on_the_name(tmp_path):
    recipe = read_recipe(None, [("name", "a/b"), ("home", str(tmp_path))])
    assert recipe.home_folder == tmp_path


@pytest.mark.parametrize("name", ["demo", "first try", "über", "v1.2"])
def test_other_names_are_taken_as_they_are(name):
    assert read_recipe(None, [("name", name)]).home_folder.name == name
