"""A machine that makes things at a rate that changes."""

from random import Random

from rstar_async.demo.draft import Draft, Step, Turn
from rstar_async.demo.words import THINGS, Say


def rates(level: int, say: Say, random: Random) -> Draft | None:
    """`level` events; None when rate or total would leave their range.

    The first is a run and the last changes the total, so that no event can be skipped.
    """
    thing = random.choice(THINGS)
    values = {"rate": random.randint(2, 20), "total": 0}
    rate = values["rate"]
    steps = [Step(f"A machine makes {rate} {thing} per hour.", (f"rate = {rate}", "total = 0"))]
    operations = [str(rate)]
    for number in range(level):
        events = _events(thing, values["rate"], values["total"], say, random)
        allowed = 1 if number == 0 else 3 if number == level - 1 else len(events)
        name, turn = random.choice(events[:allowed])
        steps.append(Step(turn.sentence, (f"{name} = {name}{turn.code}",)))
        operations.append(name + turn.code)
        values[name] = turn.value
        if not (1 <= values["rate"] <= 60 and 1 <= values["total"] <= 900):
            return None
    ask = f"How many {thing} are there now?"
    answer = values["total"]
    return Draft("rates", " ".join(operations), tuple(steps), ask, "total", answer)


def _events(thing: str, rate: int, total: int, say: Say, random: Random) -> list[tuple[str, Turn]]:
    """A run (twice, to be drawn more often), another change of the total, changes of the rate."""
    hours, number = random.randint(2, 12), random.randint(2, 15)
    run = Turn(
        say(f"It runs for {hours} hours.", f"It works for {hours} hours."),
        f" + rate * {hours}",
        total + rate * hours,
    )
    waste = say(f"The worker throws away {number} {thing}.", f"The worker breaks {number} {thing}.")
    faster = say(
        f"It gets faster by {number} {thing} per hour.",
        f"It speeds up by {number} {thing} per hour.",
    )
    slower = say(
        f"It gets slower by {number} {thing} per hour.",
        f"It slows down by {number} {thing} per hour.",
    )
    return [
        ("total", run),
        ("total", run),
        ("total", Turn(waste, f" - {number}", total - number)),
        ("rate", Turn(faster, f" + {number}", rate + number)),
        ("rate", Turn(slower, f" - {number}", rate - number)),
    ]
