from pathlib import Path

from rstar_async.config.loader import read_recipe
from rstar_async.planning.choosing import CARDS, MODELS, fits, hours_of_search, markdown
from rstar_async.planning.one_card import RECIPE
from rstar_async.planning.processes import memory_of_processes, needed_at_once

PAGE = Path(__file__).parents[2] / "docs" / "choosing.md"


def test_the_page_of_the_documentation_is_up_to_date():
    said = "run: python -m rstar_async.planning.choosing > docs/choosing.md"
    assert PAGE.read_text() == markdown(), said


def test_larger_models_take_longer_and_more_cards_less():
    times = [hours_of_search(size, CARDS[1]) for size in MODELS.values()]
    assert times == sorted(times)
    assert hours_of_search(MODELS["7 B"], CARDS[2]) * 8 == hours_of_search(MODELS["7 B"], CARDS[1])


def test_the_recipe_for_one_card_of_24_gb_fits_it_because_of_its_adapters():
    recipe, size = read_recipe(RECIPE), MODELS["1.5 B"]
    assert fits(_needed(recipe, size), CARDS[0]) == "yes"
    whole = read_recipe(RECIPE, [("ppm.lora.rank", "0"), ("training.weights", "float32")])
    assert fits(_needed(whole, size), CARDS[0]) == "no"


def _needed(recipe, size):
    return needed_at_once(memory_of_processes(recipe, size, on_gpu=True), on_card=True)
