"""A machine that makes things at a rate that changes."""

from random import Random

from rstar_async.demo.draft import Draft, Step, Turn
from rstar_async.demo.words import THINGS


def rates(level: int, random: Random) -> Draft | None:
    """`level` events, the first a run; None when rate or total would leave their range."""
    thing = random.choice(THINGS)
    values = {"rate": random.randint(2, 20), "total": 0}
    rate = values["rate"]
    steps = [Step(f"A machine makes {rate} {thing} per hour.", (f"rate = {rate}", "total = 0"))]
    operations = [str(rate)]
    for number in range(level):
        name, turn = _event(thing, values["rate"], values["total"], number == 0, random)
        steps.append(Step(turn.sentence, (f"{name} = {name}{turn.code}",)))
        operations.append(name + turn.code)
        values[name] = turn.value
        if not (1 <= values["rate"] <= 60 and 1 <= values["total"] <= 900):
            return None
    ask = f"How many {thing} are there now?"
    answer = values["total"]
    return Draft("rates", " ".join(operations), tuple(steps), ask, "total", answer)


def _event(thing: str, rate: int, total: int, first: bool, random: Random) -> tuple[str, Turn]:
    hours, number = random.randint(2, 12), random.randint(2, 15)
    run = Turn(f"It runs for {hours} hours.", f" + rate * {hours}", total + rate * hours)
    faster = f"It gets faster by {number} {thing} per hour."
    slower = f"It gets slower by {number} {thing} per hour."
    events = [
        ("total", run),
        ("total", run),
        ("rate", Turn(faster, f" + {number}", rate + number)),
        ("rate", Turn(slower, f" - {number}", rate - number)),
        (
            "total",
            Turn(f"The worker throws away {number} {thing}.", f" - {number}", total - number),
        ),
    ]
    return events[0] if first else random.choice(events)
