import pytest

from rstar_async.config import Recipe, RoundConfig
from rstar_async.config.relations import contradictions
from rstar_async.config.round_schedule import with_rounds
from rstar_async.errors import BadInput


def guidance(recipe: Recipe) -> list[str]:
    return [round_.guidance for round_ in recipe.rounds]


def test_further_rounds_are_like_the_last_and_guided_from_the_third_on():
    assert guidance(with_rounds(Recipe(), "4")) == ["terminal", "terminal", "ppm", "ppm"]
    recipe = with_rounds(Recipe(rounds=(RoundConfig(), RoundConfig(problems=7))), "3")
    assert recipe.rounds[2] == RoundConfig(problems=7, guidance="ppm")


def test_further_rounds_go_on_through_the_problems():
    rounds = (RoundConfig(problems=4), RoundConfig(problems=4, skip=4))
    more = with_rounds(Recipe(rounds=rounds), "4").rounds
    assert [each.skip for each in more] == [0, 4, 8, 12]


def test_without_rounds_the_bootstrap_is_measured_alone():
    recipe = with_rounds(Recipe(), "0")
    assert recipe.rounds == ()
    assert not list(contradictions(recipe))
    assert guidance(with_rounds(recipe, "2")) == ["terminal", "terminal"]


def test_fewer_rounds_are_the_first_ones():
    rounds = (RoundConfig(problems=1), RoundConfig(problems=2))
    assert with_rounds(Recipe(rounds=rounds), "1").rounds == rounds[:1]


@pytest.mark.parametrize("text", ["-1", "two", "1.5", "", "1001"])
def test_what_is_no_number_of_rounds_is_refused(text):
    with pytest.raises(BadInput, match="--rounds"):
        with_rounds(Recipe(), text)
