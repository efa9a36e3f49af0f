"""How far the run in a folder is, for `rstar status`."""

import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from rich.text import Text

from rstar_async.cli.locate import database_url
from rstar_async.config import Recipe
from rstar_async.config.loader import read_stored_recipe
from rstar_async.coordinator.stages import open_round_stages
from rstar_async.errors import BadInput
from rstar_async.sanitize import without_controls
from rstar_async.telemetry.stage_lines import stage_lines
from rstar_async.telemetry.stage_times import Stage, StageTimes
from storage import leases, queries
from storage.database import Database, open_database
from storage.leases import Coordinator
from storage.records import Round


class RunProgress:
    """Reads the stages of the round under way; the estimate begins when they are first seen, or,
    asked for the first time, when they or their phase of the round began."""

    def __init__(self, home: Path) -> None:
        self.recipe: Recipe = read_stored_recipe(home / "recipe.json")
        self._url = database_url(str(home))
        self._times: dict[str, StageTimes] = {}

    @classmethod
    def of(cls, home: Path | None) -> "RunProgress | None":
        """None where there is no folder with a run's database."""
        with suppress(BadInput):
            return cls(home) if home is not None else None
        return None

    def stages(self) -> list[tuple[Stage, StageTimes]]:
        """Those under way, with their clocks; none between rounds."""
        now = time.time()
        with open_database(self._url, must_exist=True) as database:
            found = database.read(open_round_stages, self.recipe)
            began = self._phase_began(database, now)
        return [(stage, self._clock(stage, began, now)) for stage in found if not stage.ended]

    def lines(self, width: int) -> list[Text]:
        """The stages as bars, and a line for each of several coordinators."""
        now = time.time()
        bars = [line for one in self.stages() for line in stage_lines(*one, now, width)]
        return [*bars, *map(coordinator_line, self.coordinators())]

    def facts(self) -> list[dict[str, Any]]:
        """The stages as plain values, for JSON."""
        now = time.time()
        return [
            {
                "stage": stage.title,
                "done": stage.done,
                "total": stage.total,
                "note": stage.note,
                "seconds": times.elapsed(now),
                "seconds_left": times.remaining(stage, now),
            }
            for stage, times in self.stages()
        ]

    def coordinators(self) -> list[Coordinator]:
        """Those that share the run; none if one has it to itself."""
        if self.recipe.workers.coordinators == 1:
            return []
        with open_database(self._url, must_exist=True) as database:
            return database.read(leases.coordinators_of, self.recipe.name)

    def _clock(self, stage: Stage, began: float, now: float) -> StageTimes:
        if stage.title not in self._times:
            started = began if stage.began is None else stage.began
            self._times[stage.title] = StageTimes(started, 0, moved=now)
        self._times[stage.title].update(stage, now)
        return self._times[stage.title]

    def _phase_began(self, database: Database, now: float) -> float:
        round_ = database.read(queries.open_round, self.recipe.name)
        return phase_began(round_) if round_ else now


def coordinator_line(coordinator: Coordinator) -> Text:
    """What it does, and whether it is still heard of."""
    left = coordinator.seconds_left
    lease = f"lease for {left:.0f} s" if left >= 0 else f"lease expired {-left:.0f} s ago"
    part = "leads · " if coordinator.leads else ""
    problems = f"{coordinator.claimed} problem{'s' * (coordinator.claimed != 1)}"
    name = without_controls(coordinator.name)
    style = "" if left >= 0 else "red"
    return Text(f"{name}: {part}{problems} · {lease}", style=style)


def phase_began(round_: Round) -> float:
    """When the round came into the state that it is in; seconds since 1970."""
    if round_.status == "searching":
        return round_.started_at
    return (round_.searched_at if round_.status == "searched" else round_.trained_at) or 0.0
