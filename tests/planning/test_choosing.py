from pathlib import Path

from rstar_async.planning.choosing import CARDS, MODELS, hours_of_search, markdown

PAGE = Path(__file__).parents[2] / "docs" / "choosing.md"


def test_the_page_of_the_documentation_is_up_to_date():
    said = "run: python -m rstar_async.planning.choosing > docs/choosing.md"
    assert PAGE.read_text() == markdown(), said


def test_larger_models_take_longer_and_more_cards_less():
    times = [hours_of_search(size, CARDS[1]) for size in MODELS.values()]
    assert times == sorted(times)
    assert hours_of_search(MODELS["7 B"], CARDS[2]) * 8 == hours_of_search(MODELS["7 B"], CARDS[1])
