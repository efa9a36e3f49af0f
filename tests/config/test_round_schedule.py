import pytest

from rstar_async.config import Recipe, RoundConfig
from rstar_async.config.round_schedule import with_rounds
from rstar_async.errors import BadInput


def guidance(recipe: Recipe) -> list[str]:
    return [round_.guidance for round_ in recipe.rounds]


def test_further_rounds_are_like_the_last_and_guided_from_the_third_on():
    assert guidance(with_rounds(Recipe(), "4")) == ["terminal", "terminal", "ppm", "ppm"]
    recipe = with_rounds(Recipe(rounds=(RoundConfig(), RoundConfig(problems=7))), "3")
    assert recipe.rounds[2] == RoundConfig(problems=7, guidance="ppm")


def test_fewer_rounds_are_the_first_ones():
    rounds = (RoundConfig(problems=1), RoundConfig(problems=2))
    assert with_rounds(Recipe(rounds=rounds), "1").rounds == rounds[:1]


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5", "", "1001"])
def test_what_is_no_number_of_rounds_is_refused(text):
    with pytest.raises(BadInput, match="--rounds"):
        with_rounds(Recipe(), text)
