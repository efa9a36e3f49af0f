"""What the comparison of screenshots takes for the same."""

import io
import itertools

import numpy as np
from PIL import Image

from tests.view.pictures import FOLDER, alike, load, small


def picture(draw):
    """A white page of 400 x 400 with what `draw` puts on it."""
    pixels = np.full((400, 400), 255, dtype=np.uint8)
    draw(pixels)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return small(file.getvalue())


def card(top, shade=120):
    def draw(pixels):
        pixels[top : top + 120, 40:360] = shade

    return draw


def letters(shift):
    def draw(pixels):
        pixels[40:360:12, 40 + shift : 360 : 9] = 0

    return draw


def test_other_letters_are_the_same_page():
    assert alike(picture(letters(0)), picture(letters(2)))


def test_a_card_that_moved_vanished_or_changed_its_shade_is_another_page():
    page = picture(card(40))
    assert not alike(page, picture(card(90)))
    assert not alike(page, picture(lambda pixels: None))
    assert not alike(page, picture(card(40, shade=200)))


def test_no_two_pages_of_a_width_are_taken_for_the_same():
    """But for those that begin alike on narrow screens."""
    for width in (360, 1024, 1360):
        stored = {file.stem: load(file) for file in FOLDER.glob(f"*-{width}.png")}
        assert len(stored) > 10
        stored.pop(f"tree-siblings-{width}")
        for one, other in itertools.combinations(stored, 2):
            assert not alike(stored[one], stored[other]), (one, other)
