"""Number theory on one number: remainders, common divisors and multiples."""

from math import gcd, lcm
from random import Random

from rstar_async.demo.draft import Draft, Step, Turn
from rstar_async.demo.words import Say


def divisors(level: int, say: Say, random: Random) -> Draft | None:
    """`level` operations on a number, or None when it would leave 2 … 900 or not change."""
    value = random.randint(6, 20)
    steps = [Step(f"Start with the number {value}.", ("import math", f"n = {value}"))]
    operations = [str(value)]
    for _ in range(level):
        number = random.randint(2, 20)
        turn = _operation(value, number, say, random)
        steps.append(Step(turn.sentence, (f"n = {turn.code}",)))
        operations.append(turn.code)
        if turn.value == value or not 2 <= turn.value <= 900:
            return None
        value = turn.value
    ask = "Which number is left?"
    return Draft("divisors", " ".join(operations), tuple(steps), ask, "n", value)


def _operation(value: int, number: int, say: Say, random: Random) -> Turn:
    divisor = say(
        f"Find the greatest common divisor with {number}.",
        f"Find the largest factor shared with {number}.",
    )
    multiple = say(
        f"Find the least common multiple with {number}.",
        f"Find the smallest multiple shared with {number}.",
    )
    remainder = say(
        f"Take the remainder after division by {number}.",
        f"Take what remains when shared among {number}.",
    )
    return random.choice(
        [
            Turn(divisor, f"math.gcd(n, {number})", gcd(value, number)),
            Turn(multiple, f"math.lcm(n, {number})", lcm(value, number)),
            Turn(remainder, f"n % {number}", value % number),
            Turn(f"Add {number} to it.", f"n + {number}", value + number),
            Turn(f"Multiply it by {number}.", f"n * {number}", value * number),
        ]
    )
