"""Screenshots made small and grey, and how far two of them are apart.

Fonts and their smoothing differ between machines, so a picture is shrunk until letters are gone and
blocks are left: what moved, vanished or changed its shade is seen, another hinting is not.
"""

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

FOLDER = Path(__file__).parent / "screenshots"
SHRUNK = 8
SHADES = 16
# Two different pages of the viewer are 0.23 apart or more, a page and itself 0.
ALIKE = 0.18


def small(png: bytes) -> Image.Image:
    """Each block of 8 x 8 pixels as one grey pixel."""
    picture = Image.open(io.BytesIO(png)).convert("L")
    return picture.resize((picture.width // SHRUNK, picture.height // SHRUNK), Image.Resampling.BOX)


def save(picture: Image.Image, file: Path) -> None:
    file.parent.mkdir(exist_ok=True)
    picture.quantize(SHADES).save(file, optimize=True)


def load(file: Path) -> Image.Image:
    with Image.open(file) as picture:
        return picture.convert("L")


def difference(one: Image.Image, other: Image.Image) -> float:
    """How much of what stands out from the ground is at another place or in another shade: from 0,
    nothing, to 1, all of it."""
    if one.size != other.size:
        return 1.0
    drawn = [_drawn(each) for each in (one, other)]
    apart = np.abs(drawn[0] - drawn[1]).sum()
    return float(apart / max(1.0, drawn[0].sum() + drawn[1].sum()))


def alike(one: Image.Image, other: Image.Image) -> bool:
    return difference(one, other) <= ALIKE


def _drawn(picture: Image.Image) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
    """How far each block is from the most usual shade, blurred by one block."""
    blurred = picture.convert("L").filter(ImageFilter.BoxBlur(1))
    shades = np.asarray(blurred, dtype=np.float64)
    return np.abs(shades - np.median(shades))
