"""An unknown number, changed step by step, and found from the result with sympy."""

from random import Random

from rstar_async.demo.draft import Draft, Step, Turn
from rstar_async.demo.words import NAMES, Say, pronoun


def equations(level: int, _: Say, random: Random) -> Draft | None:
    """`level` changes of an unknown number, or None when its image would leave 1 … 200.

    Always in plain words: there are no other wordings of these.
    """
    name = random.choice(NAMES)
    he = pronoun(name)
    unknown = random.randint(2, 20)
    image = unknown
    imports = ("from sympy import symbols, solve", 'x = symbols("x")', "y = x")
    steps = [Step(f"{name} thinks of a number.", imports)]
    operations: list[str] = []
    for _turn in range(level):
        turn = _change(he, image, random)
        steps.append(Step(turn.sentence, (f"y = y{turn.code}",)))
        operations.append(turn.code)
        image = turn.value
        if not 1 <= image <= 200:
            return None
    steps.append(Step(f"The result is {image}.", (f"x = solve(y - {image}, x)[0]",)))
    operations.append(f"= {image}")
    ask = "What was the number?"
    return Draft("equations", " ".join(operations), tuple(steps), ask, "x", unknown)


def _change(he: str, image: int, random: Random) -> Turn:
    number, times = random.randint(2, 20), random.randint(2, 5)
    return random.choice(
        [
            Turn(f"{he} adds {number}.", f" + {number}", image + number),
            Turn(f"{he} takes away {number}.", f" - {number}", image - number),
            Turn(f"{he} multiplies it by {times}.", f" * {times}", image * times),
        ]
    )
