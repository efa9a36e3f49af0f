"""`rstar run --dry-run`: what a run would do and take, without starting it."""

import argparse
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rstar_async.cli.output import print_labelled
from rstar_async.errors import BadInput

if TYPE_CHECKING:
    from rstar_async.config import Recipe
    from rstar_async.planning.model_size import ModelSize
    from rstar_async.planning.processes import ProcessMemory
    from rstar_async.planning.work import Probe
    from storage.records import Problem


@dataclass(frozen=True, slots=True)
class Machine:
    """What there is, in bytes; `cards` are the memories of its GPUs."""

    memory: int
    disk: int
    cards: Sequence[int]


def dry_run(arguments: argparse.Namespace, recipe: "Recipe", origins: Mapping[str, str]) -> int:
    """Print settings and their origins, problems, model, memory, disk, tokens and time, and
    warnings of what will not fit."""
    from rstar_async.data.problems import heldout_problems, problems_of_round
    from rstar_async.planning.model_size import size_of
    from rstar_async.planning.processes import memory_of_processes
    from rstar_async.planning.work import work_of

    rounds = [problems_of_round(recipe, number + 1) for number in range(len(recipe.rounds))]
    heldout = heldout_problems(recipe)
    machine, size = machine_of(recipe), size_of(recipe.model.base)
    _print_settings(recipe, origins)
    print_labelled("problems", _problems(rounds, heldout))
    print_labelled("model", _model(recipe, size))
    nodes = 0
    if rounds and (found := _probed(arguments, recipe, rounds[0])) is not None:
        work = work_of(recipe, [len(one) for one in rounds], len(heldout), found)
        nodes = work.nodes
        _print_work(work, found)
    processes = list(memory_of_processes(recipe, size, on_gpu=bool(machine.cards)))
    _print_memory(processes)
    needed = _print_disk(recipe, size, nodes)
    for warning in warnings(machine, processes, needed, heldout=len(heldout)):
        print_labelled("warning", warning)
    return 0


def machine_of(recipe: "Recipe") -> Machine:
    """This machine; without nvidia-smi it has no cards."""
    import os

    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    place = recipe.home_folder
    while not place.exists():
        place = place.parent
    return Machine(memory, shutil.disk_usage(place).free, list(_cards()))


def _cards() -> Iterator[int]:
    question = ("nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits")
    try:
        told = subprocess.run(question, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return
    yield from (int(line) * 2**20 for line in told.split() if line.isdigit())


def warnings(
    machine: Machine, processes: "Sequence[ProcessMemory]", disk: int, *, heldout: int
) -> Iterator[str]:
    """What will not fit, and what will not be measured."""
    from rstar_async.planning.memory import gib
    from rstar_async.planning.processes import needed_at_once

    for where, room, on_card in (
        ("this machine has", machine.memory, False),
        ("its GPUs have", sum(machine.cards), True),
    ):
        if (needed := needed_at_once(processes, on_card=on_card)) > room:
            yield (
                f"the processes need {gib(needed)} at once and {where} {gib(room)}: "
                "see docs/choosing.md for smaller models, LoRA and shared cards"
            )
    if disk > machine.disk:
        yield (
            f"the run needs {gib(disk)} of disk and {gib(machine.disk)} are free: "
            "--training.keep_versions 1 keeps fewer models"
        )
    if not heldout:
        yield "no problems are held out, so no accuracy is measured: --problems.heldout N"


def _print_settings(recipe: "Recipe", origins: Mapping[str, str]) -> None:
    from rstar_async.planning.provenance import STARTED_WITH, changed_settings

    changed = {**changed_settings(recipe), "name": recipe.name}
    given = {name for name, origin in origins.items() if origin != STARTED_WITH}
    named = sorted(changed.keys() | (given - {"database"}))
    width = max((len(name) for name in named), default=0)
    print_labelled("settings", "those that are not defaults; `rstar settings` lists the rest")
    for name in named:
        value = _short(changed.get(name, _value(recipe, name)))
        print(f"  {name:{width}}  {value}  ({origins.get(name, 'default')})")


def _value(recipe: "Recipe", name: str) -> Any:
    value: Any = recipe
    for part in name.split("."):
        value = getattr(value, part)
    return value


def _short(value: Any) -> str:
    text = f"{len(value)} rounds" if _are_rounds(value) else str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _are_rounds(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and isinstance(value[0], dict)


def _problems(rounds: "Sequence[Sequence[Problem]]", heldout: "Sequence[Problem]") -> str:
    if not rounds:
        return f"none to search, {len(heldout):,} held out"
    counts = [f"{len(one):,}" for one in rounds]
    each = counts[0] if len(set(counts)) == 1 else ", ".join(counts)
    count = f"{len(rounds)} round{'s' * (len(rounds) > 1)}"
    return f"{each} to search in {count}, {len(heldout):,} held out"


def _model(recipe: "Recipe", size: "ModelSize | None") -> str:
    if size is None:
        return f"{recipe.model.base}: not on this machine, so its size is not known yet"
    amount = size.parameters
    shown = f"{amount / 1e9:.2f} billion" if amount >= 1e9 else f"{amount / 1e6:,.1f} million"
    return f"{recipe.model.base}: {shown} parameters"


def _probed(
    arguments: argparse.Namespace, recipe: "Recipe", problems: "Sequence[Problem]"
) -> "Probe | None":
    """The probe, unless it is not wanted or cannot be made, which is said."""
    from rstar_async.cli.probe import probe

    if arguments.no_probe:
        return None
    home = recipe.home_folder
    model = str(home) if (home / "recipe.json").is_file() else recipe.model.base
    try:
        if (found := probe(recipe, problems, model)) is None:
            print_labelled("probe", "no tokens came; see the engine's settings")
        return found
    except BadInput as bad:
        print_labelled("probe", f"not made: {bad}")
        return None


def _print_work(work: Any, found: "Probe") -> None:
    from rstar_async.planning.work import hours

    print_labelled(
        "probe",
        f"{found.tokens_per_second:,.0f} tokens/s; {found.searches} searches ended, with "
        f"{found.tokens_per_search:,.0f} tokens each",
    )
    print_labelled(
        "work",
        f"at most {work.searches:,} searches, {work.tokens:,} tokens, {hours(work.hours)} of "
        "sampling; training comes on top",
    )


def _print_memory(processes: "Sequence[ProcessMemory]") -> None:
    from rstar_async.planning.memory import gib

    for number, one in enumerate(processes):
        where = " of a GPU" if one.on_card else ""
        amount = f"{one.count} x {gib(one.bytes_each)}{where}"
        print_labelled("" if number else "memory", f"{one.name:20} {amount}")


def _print_disk(recipe: "Recipe", size: "ModelSize | None", nodes: int) -> int:
    from rstar_async.planning.memory import disk, gib

    if size is None:
        return 0
    needed = disk(size, recipe, nodes)
    print_labelled("disk", f"{gib(needed)} in {Path(recipe.home_folder)}")
    return needed
