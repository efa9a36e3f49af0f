"""The executors' jobs; each holds a number of its own, so that no cache can have it."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

PRINTED = 400 << 10


@dataclass(frozen=True)
class Job:
    """One kind of job: `source` makes the program of a number."""

    name: str
    source: Callable[[int], str]


def trivial(number: int) -> str:
    """The least program."""
    return f"print({number} + 1)"


def solve(number: int) -> str:
    """A cubic with three whole roots."""
    p, q, r = sorted(Random(number).sample(range(-30, 30), 3))
    a, b, c = -(p + q + r), p * q + p * r + q * r, -p * q * r
    return (
        f"from sympy import *\nx = symbols('x')\nprint(solve(x**3 + {a}*x**2 + {b}*x + {c}, x))\n"
    )


def print_much(number: int) -> str:
    """More output than a pipe holds."""
    return f"print(str({number % 10}) * {PRINTED})"


def numpy_step(number: int) -> str:
    """A decomposition in C, with a number that is the same everywhere."""
    return (
        "import numpy as np\n"
        f"a = np.random.default_rng({number}).random((80, 80))\n"
        "print(round(float(np.linalg.slogdet(a @ a.T + np.eye(80))[1]), 6))"
    )


JOBS = (
    Job("trivial", trivial),
    Job("solve", solve),
    Job("print 400 KiB", print_much),
    Job("numpy", numpy_step),
)


def chain(number: int) -> list[str]:
    """Sixteen steps of one solution, each of which needs those before it."""
    random = Random(number)
    a, b, c = (random.randint(2, 40) for _ in range(3))
    return [
        f"from sympy import *\nx, y, n = symbols('x y n')\na, b, c = {a}, {b}, {c}",
        "p = expand((x + a)**4 * (x - b))\nprint(p)",
        "q = factor(p)\nprint(q)",
        "r = roots(p, x)\nprint(sorted(r))",
        "d = diff(p * sin(x), x)\nprint(d.subs(x, 0))",
        "s = solve([x + y - a, x * y - b], [x, y])\nprint(s)",
        "t = simplify((x**2 - a**2) / (x - a) + d.subs(x, 1))\nprint(t)",
        f"i = integrate(p * x**{a % 3}, (x, 0, c))\nprint(i)",
        "k = summation(a * n**2 + b * n, (n, 1, c))\nprint(k)",
        "m = Matrix([[a, b, 1], [c, a, 2], [b, 1, c]])\nprint(m.det())",
        "e = m.charpoly().as_expr()\nprint(e)",
        "v = m.inv()\nprint(v.trace())",
        "w = m.LUsolve(Matrix([a, b, c]))\nprint(list(w))",
        "u = trigsimp(sin(a * x)**2 + cos(a * x)**2 + a)\nprint(u)",
        "g = limit(sin(a * x) / (b * x), x, 0)\nprint(g)",
        "print(i + k + u + g + sum(w))",
    ]
