"""Things gained and lost: one running count."""

from random import Random

from rstar_async.demo.draft import Draft, Step, Turn
from rstar_async.demo.words import NAMES, THINGS, Say, pronoun


def story(level: int, say: Say, random: Random) -> Draft | None:
    """A count changed `level` times, or None when it would leave 1 … 400."""
    name, friend = random.sample(NAMES, 2)
    thing = random.choice(THINGS)
    count = random.randint(3, 20)
    steps = [Step(f"{name} has {count} {thing}.", (f"{thing} = {count}",))]
    operations = [str(count)]
    for _ in range(level):
        turn = _change(name, friend, thing, count, say, random)
        steps.append(Step(turn.sentence, (f"{thing} = {thing}{turn.code}",)))
        operations.append(turn.code)
        count = turn.value
        if not 1 <= count <= 400:
            return None
    ask = f"How many {thing} does {name} have now?"
    return Draft("story", " ".join(operations), tuple(steps), ask, thing, count)


def _change(name: str, friend: str, thing: str, count: int, say: Say, random: Random) -> Turn:
    number, groups = random.randint(2, 20), random.randint(2, 5)
    he, items = pronoun(name), f"{number} {thing}."
    changes = [
        Turn(
            say(f"{he} buys {items}", f"{he} finds {items}", f"{he} wins {items}"),
            f" + {number}",
            count + number,
        ),
        Turn(
            say(f"{friend} gives {name} {items}", f"{friend} sends {name} {items}"),
            f" + {number}",
            count + number,
        ),
        Turn(
            say(f"{he} gets {groups} bags of {items}", f"{he} opens {groups} boxes of {items}"),
            f" + {groups} * {number}",
            count + groups * number,
        ),
        Turn(
            say(f"{he} loses {items}", f"{he} drops {items}", f"{he} sells {items}"),
            f" - {number}",
            count - number,
        ),
        Turn(
            say(f"{name} gives {friend} {items}", f"{name} lends {friend} {items}"),
            f" - {number}",
            count - number,
        ),
        Turn(
            say(
                f"The number of {thing} grows {groups} times.",
                f"The pile of {thing} becomes {groups} times as big.",
            ),
            f" * {groups}",
            count * groups,
        ),
    ]
    if count % 2 == 0:
        changes.append(Turn(f"{he} gives away half of the {thing}.", " // 2", count // 2))
    return random.choice(changes)
