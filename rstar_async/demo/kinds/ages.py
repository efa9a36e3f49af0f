"""Ages of people, each relative to the age of an earlier one."""

from random import Random

from rstar_async.demo.draft import Draft, Step, Turn
from rstar_async.demo.words import NAMES, Say


def ages(level: int, say: Say, random: Random) -> Draft | None:
    """`level` people compared with earlier ones, or None when an age would leave 1 … 120."""
    people = random.sample(NAMES, level + 1)
    known = {people[0]: random.randint(3, 20)}
    steps = [_step(f"{people[0]} is {known[people[0]]} years old.", people[0], known[people[0]])]
    operations = [str(known[people[0]])]
    for number, person in enumerate(people[1:]):
        other = people[number] if random.random() < 0.8 else random.choice(people[: number + 1])
        turn = _comparison(person, other, known[other], say, random)
        steps.append(_step(turn.sentence, person, f"{other.lower()}{turn.code}"))
        operations.append(f"{people.index(other)}{turn.code}")
        known[person] = turn.value
        if not 1 <= known[person] <= 120:
            return None
    last = people[-1]
    ask = f"How old is {last}?"
    return Draft("ages", " ".join(operations), tuple(steps), ask, last.lower(), known[last])


def _step(sentence: str, person: str, value: object) -> Step:
    return Step(sentence, (f"{person.lower()} = {value}",))


def _comparison(person: str, other: str, age: int, say: Say, random: Random) -> Turn:
    years, times = random.randint(2, 20), random.randint(2, 4)
    return random.choice(
        [
            Turn(
                say(
                    f"{person} is {years} years older than {other}.",
                    f"{person} was born {years} years before {other}.",
                ),
                f" + {years}",
                age + years,
            ),
            Turn(
                say(
                    f"{person} is {years} years younger than {other}.",
                    f"{person} was born {years} years after {other}.",
                ),
                f" - {years}",
                age - years,
            ),
            Turn(
                say(
                    f"{person} is {times} times as old as {other}.",
                    f"{person} has lived {times} times as long as {other}.",
                ),
                f" * {times}",
                age * times,
            ),
        ]
    )
