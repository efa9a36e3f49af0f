"""What the interpreter has imported, and called once, before the first program runs.

Every MiB here costs every fork about 70 microseconds, and every library costs its mappings, the
more the deeper a node is; every import missing here costs the program that needs it (sympy: half a
second). Hence three flavours: plain, sympy, and numpy, which has both.
"""

import contextlib
import importlib
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

PLAIN = (
    *("math", "cmath", "fractions", "decimal", "itertools", "functools", "operator", "collections"),
    *("statistics", "heapq", "bisect", "re", "string", "copy", "typing", "dataclasses", "datetime"),
    *("time", "json", "textwrap", "array", "numbers"),
)
SYMBOLIC = ("sympy", "mpmath")
NUMERIC = ("numpy", "numpy.linalg")


def warm_up(flavour: str) -> None:
    """Import, and let sympy build its caches (a second or two).

    Random states begin at a fixed seed: every worker gives an unseeded program the same answer.
    """
    with _without_fork_hooks():
        _import(PLAIN + (NUMERIC if flavour == "numpy" else ()))
        importlib.import_module("random").seed(0)
        if flavour == "numpy":
            importlib.import_module("numpy").random.seed(0)
        if flavour != "plain":
            _import(SYMBOLIC)
            calls = SYMBOLIC_CALLS + (NUMERIC_CALLS if flavour == "numpy" else ())
            _exercise(vars(importlib.import_module("sympy")), calls)


def _import(names: Iterable[str]) -> None:
    for name in names:
        importlib.import_module(name)


@contextlib.contextmanager
def _without_fork_hooks() -> Iterator[None]:
    """A program goes on after a fork with the random state that it had; threads there are none."""
    register: Callable[..., None] = os.register_at_fork
    os.register_at_fork = lambda **_hooks: None
    try:
        yield
    finally:
        os.register_at_fork = register


def _exercise(sympy: dict[str, Any], calls: Iterable[str]) -> None:
    names = dict(sympy)
    exec('x, y, n, k = symbols("x y n k"); f = Function("f")', names)
    for call in calls:
        with contextlib.suppress(Exception):
            eval(call, names)


NUMERIC_CALLS = ("lambdify(x, x**2)(3)",)
SYMBOLIC_CALLS = (
    "solve(x**2 - 2, x)",
    "solve(x**3 - 6*x**2 + 11*x - 6, x)",
    "solve([x + y - 3, x - y - 1], [x, y])",
    "solve([x + y - 3, x*y - 2], [x, y])",
    "solve(sin(x) - Rational(1, 2), x)",
    "solve(x**2 > 4, x)",
    "solveset(x**2 - 1, x, S.Reals)",
    "nsolve(x**2 - 2, 1)",
    "reduce_inequalities([x > 1])",
    "simplify(sin(x)**2 + cos(x)**2)",
    "trigsimp(2*sin(x)*cos(x))",
    "radsimp(1/(sqrt(2) + 1))",
    "apart(1/(x**2 - 1))",
    "factor(x**4 - 1)",
    "expand((x + 1)**5)",
    "integrate(x**2*exp(x), x)",
    "integrate(1/(x**2 + 1), (x, 0, oo))",
    "diff(sin(x)*x, x)",
    "limit(sin(x)/x, x, 0)",
    "series(exp(x), x, 0, 4)",
    "summation(k**2, (k, 1, n))",
    "Matrix([[1, 2], [3, 4]]).eigenvals()",
    "Matrix([[1, 2], [3, 4]]).inv()",
    "Matrix([[2, 1, 0], [1, 3, 1], [0, 1, 2]]).det()",
    "Poly(x**2 - 1).all_roots()",
    "nroots(x**3 - x - 1)",
    "N(pi, 30)",
    "factorint(360360)",
    "divisors(360)",
    "isprime(10**9 + 7)",
    "nextprime(100)",
    "totient(12)",
    "gcd(12, 18)",
    "mod_inverse(3, 11)",
    "binomial(10, 3)",
    "sqrt(Rational(8, 9))",
    "latex(x**2/2)",
    "str(x**2 + sqrt(x))",
    'sympify("x**2 + 1")',
    "Point(0, 0).distance(Point(3, 4))",
    "Triangle(Point(0, 0), Point(4, 0), Point(0, 3)).area",
    "dsolve(f(x).diff(x) - f(x))",
    "diophantine(x**2 + y**2 - 25)",
    "Eq(x, 1)",
)
