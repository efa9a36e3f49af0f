"""The commands that the README tells its readers to type, and a clone to type them in."""

import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_IN_A_LINE = re.compile(r"`((?:rstar|make|pip) [^`]+)`")


def commands() -> list[str]:
    """Those of the blocks without a language, and those in the text, each once."""
    text = (ROOT / "README.md").read_text()
    blocks = [block for language, block in _BLOCK.findall(text) if not language]
    lines = [line.partition("#")[0].strip() for block in blocks for line in block.splitlines()]
    found = [*filter(None, lines), *_IN_A_LINE.findall(_BLOCK.sub("", text))]
    return [*dict.fromkeys(found)]


def python_block() -> str:
    blocks = _BLOCK.findall((ROOT / "README.md").read_text())
    (block,) = [block for language, block in blocks if language == "python"]
    return block


def clone(folder: Path) -> Path:
    """What git would put into a clone of this working tree."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():  # one that was deleted is still listed
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder
