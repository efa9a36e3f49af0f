"""One card for the servers and the trainer: who has it, and in which order it changes hands.

Pure. A server gives its memory back only when nothing runs on it, so it is paused first. What it
gets back is empty: the weights are read again before anybody may ask for anything. It gets those
that it had; the workers exchange them for new ones, with all their checks, when a job names them.
"""

from enum import StrEnum
from typing import Literal, NamedTuple, TypeAlias

Owner: TypeAlias = Literal["servers", "trainer"]


class State(StrEnum):
    """Of one server."""

    SERVING = "serving"
    PAUSED = "paused"
    RELEASED = "released"
    EMPTY = "empty"  # has its memory for weights, and no weights in it
    LOADED = "loaded"
    COMPLETE = "complete"  # has weights and a cache, and is paused


class Action(StrEnum):
    """What is asked of a server."""

    PAUSE = "pause"
    RELEASE = "release"
    TAKE_WEIGHTS = "take_weights"
    LOAD = "load"
    TAKE_CACHE = "take_cache"
    RESUME = "resume"


class Step(NamedTuple):
    """An action, and the state after it."""

    action: Action
    after: State


_TO_TRAINER = {
    State.SERVING: Step(Action.PAUSE, State.PAUSED),
    State.PAUSED: Step(Action.RELEASE, State.RELEASED),
}
_TO_SERVERS = {
    State.RELEASED: Step(Action.TAKE_WEIGHTS, State.EMPTY),
    State.EMPTY: Step(Action.LOAD, State.LOADED),
    State.LOADED: Step(Action.TAKE_CACHE, State.COMPLETE),
    State.COMPLETE: Step(Action.RESUME, State.SERVING),
    State.PAUSED: Step(Action.RESUME, State.SERVING),
}


def next_step(state: State, owner: Owner) -> Step | None:
    """What brings the card nearer to its owner; None when the owner has it.

    A server that is on its way back goes all the way, also if the trainer wants it again: memory
    without weights in it is released by no order that we know to be safe.
    """
    if owner == "trainer" and state is not State.RELEASED:
        return _TO_TRAINER.get(state) or _TO_SERVERS[state]
    return _TO_SERVERS.get(state) if owner == "servers" else None
