"""The rounds of a recipe cut or continued to a given number. Pure."""

from msgspec import structs

from rstar_async.config.recipe import Recipe
from rstar_async.config.searching import RoundConfig
from rstar_async.errors import BadInput

FIRST_GUIDED = 3  # as in the paper: the PPMs of the first rounds have seen too little
MOST = 1000


def with_rounds(recipe: Recipe, text: str) -> Recipe:
    """The recipe with as many rounds as `text` says; with none, the bootstrap is measured alone.

    Rounds beyond its own are like its last, guided by a PPM from round 3 on, and go on through the
    problems if that one had skipped any. `BadInput` if `text` is no number of rounds.
    """
    if not text.isdecimal() or int(text) > MOST:
        raise BadInput(f"--rounds {text}: give a number from 0 to {MOST:,}")
    own = list(recipe.rounds[: int(text)])
    while len(own) < int(text):
        last = own[-1] if own else RoundConfig()
        own.append(_next(last, len(own) + 1))
    return structs.replace(recipe, rounds=tuple(own))


def _next(last: RoundConfig, number: int) -> RoundConfig:
    return structs.replace(
        last,
        guidance="ppm" if number >= FIRST_GUIDED else last.guidance,
        skip=last.skip + last.problems if last.skip else 0,
    )
