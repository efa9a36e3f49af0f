"""One operation of a generated program: what it says in words and does in Python."""

from dataclasses import dataclass
from random import Random
from string import Template
from typing import Literal

Type = Literal["numbers", "number", "words", "text", "counts", "groups"]

LETTERS = "aeilnorst"


@dataclass(frozen=True, slots=True)
class Operation:
    """A function of one value, as templates: $n is a number, $c and $d are two letters, $v is the
    value.

    `body` is an expression or, if it has several lines, the body of a function. `plain` is the
    wording of the demonstrations; those in `new` have words that no demonstration explains.
    """

    takes: Type
    gives: Type
    body: str
    plain: str
    new: tuple[str, ...] = ()
    numbers: range = range(2, 10)

    @property
    def wordings(self) -> tuple[str, ...]:
        return (self.plain, *self.new)

    def parameters(self, random: Random) -> dict[str, str]:
        """Values for the placeholders; those that do not occur are left out."""
        letters = random.sample(LETTERS, 2)
        drawn = {"n": str(random.choice(self.numbers)), "c": letters[0], "d": letters[1]}
        return {name: value for name, value in drawn.items() if f"${name}" in self.body}


@dataclass(frozen=True, slots=True)
class Applied:
    """An operation with values for its placeholders, said in one of its wordings."""

    operation: Operation
    parameters: dict[str, str]
    sentence: str

    @property
    def identity(self) -> str:
        """What it does, whatever the words."""
        return Template(self.operation.body).safe_substitute(self.parameters)

    def function(self, name: str, value: str) -> str:
        """The definition of a function `name` of v that applies it to `value`, an expression."""
        body = Template(self.operation.body).substitute(self.parameters, v=value)
        return define(name, body)


def define(name: str, body: str) -> str:
    """The source of a function of v: on one line if its body is an expression."""
    if "\n" not in body:
        return f"def {name}(v): return {body}"
    return "\n    ".join((f"def {name}(v):", *body.splitlines()))
