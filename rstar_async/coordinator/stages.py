"""How far a round is, as the store and the trainer's progress file say: its stages, in order.

To be passed to `Store.read` or `Database.read`.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import msgspec

from rstar_async.config import Recipe
from rstar_async.telemetry.stage_times import Stage
from storage import queries
from storage.queries import Connection
from storage.records import Round, RoundStatus

ORDER: tuple[RoundStatus, ...] = ("searching", "searched", "trained", "closed")
TAIL_BYTES = 1024 * 1024
PHASES = {"base": "convert", "bootstrap": "learn the format", "policy": "policy", "ppm": "PPM"}


@dataclass
class Measuring:
    """The solutions that are being sampled from a policy alone, which the store does not count
    before all of them are made."""

    round: int = 0
    done: int = 0
    total: int = 0
    tokens: int = 0

    def begin(self, number: int, problems: int) -> None:
        self.round, self.done, self.total, self.tokens = number, 0, problems, 0

    def count(self, new_tokens: int) -> None:
        """The solutions of one more problem were sampled."""
        self.done += 1
        self.tokens += new_tokens

    def end(self) -> None:
        """If nothing was sampled, the figures were stored before and there is nothing to show."""
        self.total = self.done


class TrainingStep(msgspec.Struct):
    """One line of the trainer's progress file."""

    phase: str
    round: int
    step: int
    total: int
    loss: float | None = None
    time: float | None = None  # seconds since 1970


def open_round_stages(connection: Connection, recipe: Recipe) -> list[Stage]:
    """Those of the round under way; none if the run is complete or has not begun."""
    round_ = queries.open_round(connection, recipe.name)
    return stages_of(connection, recipe, round_) if round_ else []


def stages_of(
    connection: Connection, recipe: Recipe, round_: Round, measuring: Measuring | None = None
) -> list[Stage]:
    """The stages of a round that have begun; those before the last one have ended."""
    reached = ORDER.index(round_.status)
    stages = [_searching(connection, recipe, round_)] if round_.number else []
    if reached >= ORDER.index("searched"):
        stages += _training(recipe, round_)
    if reached >= ORDER.index("trained"):
        stages += _measuring(connection, recipe, round_, measuring)
    return stages


def name_of(round_: Round) -> str:
    return f"round {round_.number}" if round_.number else "bootstrap"


def _searching(connection: Connection, recipe: Recipe, round_: Round) -> Stage:
    counts = queries.progress(connection, recipe.name, round_.number, "train")
    waiting = "" if counts.nodes else f"{counts.running} searches wait for their first steps"
    note = f"{counts.solved} solved · {counts.nodes:,} nodes · {counts.new_tokens:,} tokens"
    return Stage(
        f"{name_of(round_)} · search",
        counts.finished + counts.failed,
        counts.searches,
        waiting or note,
        counts.new_tokens,
        ended=round_.status != "searching",
    )


def _training(recipe: Recipe, round_: Round) -> list[Stage]:
    """Reading what was found, then one stage for each model that is or was trained."""
    over = round_.status != "searched"
    file = recipe.home_folder / "training" / "progress.jsonl"
    steps = [step for step in steps_in(file) if step.round == round_.number]
    phases = {step.phase: step for step in steps}
    began = {step.phase: step.time for step in steps if step.step == 0}
    prepare = Stage(f"{name_of(round_)} · prepare", 0, 0, ended=over or bool(phases))
    if not phases:
        return [prepare]
    *earlier, last = phases.values()
    return [
        prepare,
        *(_trained(round_, step, began.get(step.phase), ended=True) for step in earlier),
        _trained(round_, last, began.get(last.phase), ended=over),
    ]


def _trained(round_: Round, step: TrainingStep, began: float | None, *, ended: bool) -> Stage:
    """A training whose last lines are missing has ended all the same if another has begun."""
    title = f"{name_of(round_)} · {PHASES.get(step.phase, step.phase)}"
    loss = "" if step.loss is None else f"loss {step.loss:.3f}"
    done = step.total if ended else step.step
    note = loss if ended or step.step < step.total else f"{loss} · checking and publishing"
    return Stage(title, done, step.total, note, ended=ended, began=began)


def _measuring(
    connection: Connection, recipe: Recipe, round_: Round, measuring: Measuring | None
) -> list[Stage]:
    """The policy alone, then the trees, on the held-out problems."""
    counts = queries.progress(connection, recipe.name, round_.number, "evaluation")
    over = round_.status == "closed"
    stages = []
    if measuring is not None and measuring.round == round_.number and measuring.total:
        ended = over or measuring.done == measuring.total
        title = f"{name_of(round_)} · sample heldout"
        note = f"{measuring.tokens:,} tokens"
        stages.append(
            Stage(title, measuring.done, measuring.total, note, measuring.tokens, ended=ended)
        )
    if counts.searches:
        title = f"{name_of(round_)} · search heldout"
        done = counts.finished + counts.failed
        note = f"{counts.new_tokens:,} tokens"
        stages.append(Stage(title, done, counts.searches, note, counts.new_tokens, ended=over))
    elif not stages and not over:
        stages.append(Stage(f"{name_of(round_)} · sample heldout", 0, 0, "policy alone"))
    return stages


def steps_in(file: Path) -> list[TrainingStep]:
    """The last lines of the trainer's progress file that are whole; none if there is no file."""
    try:
        with file.open("rb") as stream:
            stream.seek(max(0, os.fstat(stream.fileno()).st_size - TAIL_BYTES))
            lines = stream.read().splitlines()
    except OSError:
        return []
    return [step for line in lines if (step := _step(line)) is not None]


def _step(line: bytes) -> TrainingStep | None:
    """None for a line that was cut off."""
    try:
        return msgspec.json.decode(line, type=TrainingStep)
    except (msgspec.MsgspecError, RecursionError):
        return None
