"""The commands that the README tells its readers to type, what a test types for each, and a clone
to type them in."""

import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_IN_A_LINE = re.compile(r"`((?:rstar|make|pip) [^`]+)`")

QUESTION = "1) Tom has 12 coins. 2) He buys 5 coins. 3) How many coins does Tom have now?"

# A command of the README → the words that are typed for it here, with smaller figures.
RUN = "rstar run --model Qwen/Qwen2.5-Math-1.5B --problems problems.jsonl --rounds 3 --name mine"
VIEW = "rstar view runs/mine"
DRY = ("run", "recipes/demo.toml", "--dry-run", "--no-probe")
LOOKED_AT = {
    "rstar run recipes/demo.toml": DRY,
    "rstar run … --dry-run": DRY,
    "rstar status runs/mine": ("status", "runs/mine"),
    'rstar solve "…" --model runs/mine': ("solve", QUESTION, "--model", "runs/mine"),
    "rstar evaluate runs/mine": (
        *("evaluate", "runs/mine", "--trajectories", "1,2", "--problems", "1"),
        *("--against", "none", "--evaluation.rollouts", "2"),
    ),
    "rstar compare runs/a runs/b": ("compare", "runs/mine", "runs/mine"),
    "rstar settings search.rollouts": ("settings", "search.rollouts"),
    "rstar export runs/mine sft.jsonl --as messages": (
        *("export", "runs/mine", "sft.jsonl", "--as", "messages"),
    ),
    "rstar --help": ("--help",),
    "rstar doctor": ("doctor",),
}
# A target of make → what making it ends with.
MADE = {
    "make demo": "rstar run recipes/demo.toml",
    "make programs": "rstar run recipes/programs.toml",
    "make test": "python -m pytest",
    "make docs": "mkdocs build --strict",
}
# Not typed here, with the reason and the place that does it.
EXCUSED = {
    "pip install -e '.[train]'": "takes minutes: .github/workflows/test.yml installs the wheel",
    "rstar run recipes/demo.toml --slurm.nodes 3": "needs Slurm: tests/slurm/test_runs.py",
}


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
