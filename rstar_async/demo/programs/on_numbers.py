"""Operations on lists of numbers and on single numbers."""

from rstar_async.demo.programs.operation import Operation, Type

NUMBERS: Type = "numbers"


def _to_numbers(body: str, plain: str, *new: str, n: range = range(2, 10)) -> Operation:
    return Operation(NUMBERS, NUMBERS, body, plain, new, n)


def _to_number(body: str, plain: str, *new: str) -> Operation:
    return Operation(NUMBERS, "number", body, plain, new)


def _of_number(body: str, plain: str, *new: str) -> Operation:
    return Operation("number", "number", body, plain, new)


ON_NUMBERS = (
    _to_numbers(
        "[x for x in $v if x > $n]",
        "Keep the numbers greater than $n.",
        "Keep the numbers above $n.",
        n=range(5, 25),
    ),
    _to_numbers(
        "[x for x in $v if x < $n]",
        "Keep the numbers less than $n.",
        "Keep the numbers below $n.",
        n=range(10, 30),
    ),
    _to_numbers("[x for x in $v if x % $n == 0]", "Keep the multiples of $n.", n=range(3, 6)),
    _to_numbers("[x for x in $v if x % 2 == 0]", "Keep the even numbers."),
    _to_numbers("[x for x in $v if x % 2 == 1]", "Keep the odd numbers."),
    _to_numbers("[x + $n for x in $v]", "Add $n to each number.", "Increase each number by $n."),
    _to_numbers(
        "[x - $n for x in $v]", "Subtract $n from each number.", "Decrease each number by $n."
    ),
    _to_numbers(
        "[x * $n for x in $v]",
        "Multiply each number by $n.",
        "Scale each number by $n.",
        n=range(3, 7),
    ),
    _to_numbers(
        "[x // $n for x in $v]",
        "Divide each number by $n.",
        n=range(2, 5),
    ),
    _to_numbers("[x * x for x in $v]", "Square each number."),
    _to_numbers("[-x for x in $v]", "Negate each number."),
    _to_numbers("[x + x for x in $v]", "Double each number."),
    _to_numbers("sorted($v)", "Sort the numbers from small to large."),
    _to_numbers(
        "sorted($v, reverse=True)",
        "Sort the numbers from large to small.",
    ),
    _to_numbers("$v[::-1]", "Reverse the numbers.", "Mirror the numbers."),
    _to_numbers("list(dict.fromkeys($v))", "Remove repeated numbers."),
    _to_numbers(
        "$v[:$n]", "Take the first $n numbers.", "Take the leading $n numbers.", n=range(2, 5)
    ),
    _to_numbers(
        "$v[-$n:]", "Take the last $n numbers.", "Take the trailing $n numbers.", n=range(2, 5)
    ),
    _to_numbers("$v[$n:]", "Skip the first $n numbers.", n=range(1, 4)),
    _to_number("sum($v)", "Compute the sum."),
    _to_number("max($v, default=0)", "Compute the maximum.", "Compute the peak."),
    _to_number("min($v, default=0)", "Compute the minimum.", "Compute the bottom."),
    _to_number("len($v)", "Count the numbers."),
    _of_number("$v + $n", "Add $n to it.", "Increase it by $n."),
    _of_number("$v - $n", "Subtract $n from it.", "Decrease it by $n."),
    _of_number("$v * $n", "Multiply it by $n.", "Scale it by $n."),
)
