"""Screenshots made small and grey, and how far two of them are apart.

Fonts and their smoothing differ between machines, so a picture is shrunk until letters are gone and
blocks are left: what moved, vanished or changed its shade is seen, another hinting is not.
"""

import io
from pathlib import Path

import numpy as np
from PIL import Image

FOLDER = Path(__file__).parent / "screenshots"
SHRUNK = 8
SHADES = 16
# Mean difference of all blocks, and the share of blocks that differ clearly; of 255 and of 1.
MEAN, CLEAR, CLEAR_SHARE = 6.0, 64.0, 0.03


def small(png: bytes) -> Image.Image:
    """Each block of 8 x 8 pixels as one grey pixel."""
    picture = Image.open(io.BytesIO(png)).convert("L")
    return picture.resize((picture.width // SHRUNK, picture.height // SHRUNK), Image.Resampling.BOX)


def save(picture: Image.Image, file: Path) -> None:
    file.parent.mkdir(exist_ok=True)
    picture.quantize(SHADES).save(file, optimize=True)


def difference(one: Image.Image, other: Image.Image) -> tuple[float, float]:
    """The mean difference, and the share of blocks that differ clearly."""
    if one.size != other.size:
        return 255.0, 1.0
    grey = [np.asarray(each.convert("L"), dtype=float) for each in (one, other)]
    apart = np.abs(grey[0] - grey[1])
    return float(apart.mean()), float((apart > CLEAR).mean())


def alike(one: Image.Image, other: Image.Image) -> bool:
    mean, share = difference(one, other)
    return mean <= MEAN and share <= CLEAR_SHARE
