"""The rounds of a recipe cut or continued to a given number. Pure."""

from msgspec import structs

from rstar_async.config.recipe import Recipe
from rstar_async.config.searching import RoundConfig
from rstar_async.errors import BadInput

FIRST_GUIDED = 3  # as in the paper: the PPMs of the first rounds have seen too little
MOST = 1000


def with_rounds(recipe: Recipe, text: str) -> Recipe:
    """The recipe with as many rounds as `text` says.

    Rounds beyond its own are like its last, guided by a PPM from round 3 on. `BadInput` if `text`
    is no number of rounds.
    """
    if not text.isdecimal() or not 1 <= int(text) <= MOST:
        raise BadInput(f"--rounds {text}: give a number from 1 to {MOST:,}")
    count, own = int(text), recipe.rounds
    further = [_like(own[-1], number) for number in range(len(own) + 1, count + 1)]
    return structs.replace(recipe, rounds=(*own[:count], *further))


def _like(last: RoundConfig, number: int) -> RoundConfig:
    return structs.replace(last, guidance="ppm") if number >= FIRST_GUIDED else last
