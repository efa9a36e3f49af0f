"""Names in formulas: variables with subscripts, figures, known and unknown functions."""

from fractions import Fraction

from rstar_async.answers import tree
from rstar_async.answers.notation import CONSTANTS, FUNCTIONS, GREEK, permutations
from rstar_async.answers.reader import OPENERS, RELATIONS, Reader
from rstar_async.answers.tokens import Token
from rstar_async.answers.tree import (
    Const,
    Node,
    NotUnderstood,
    Num,
    Sym,
)

_FUNCTION_LETTERS = frozenset("fghFGH")
_FUNCTION_GREEK = frozenset(("phi", "varphi", "psi", "Gamma", "zeta", "sigma", "Phi", "Psi"))


class Functions(Reader):
    """Everything a name in a formula may begin."""

    def name(self, name: str) -> Node:
        if name in FUNCTIONS and len(name) > 1:
            return self.function(name)
        if name in CONSTANTS:
            return CONSTANTS[name]
        if name in GREEK:
            return self.subscripted(name)
        if len(name) > 3:
            if self.next not in RELATIONS:
                raise NotUnderstood(name)
            return Sym(name)
        if len(name) > 1:
            self.split_letters()
        return self.subscripted(name[0])

    def split_letters(self) -> None:
        """`ba^2` is b times the square of a: each letter is a factor of its own."""
        token = self.tokens[self.position - 1]
        letters = [Token(token.kind, letter) for letter in token.text]
        letters[0] = letters[0]._replace(spaced=token.spaced)
        self.tokens[self.position - 1 : self.position] = letters

    def subscripted(self, name: str) -> Node:
        """A variable with its subscript and primes, or the call of a function the problem names."""
        symbol = name
        if self.accept("_"):
            symbol += self.subscript()
            if name in ("C", "A", "P") and self.next == "^" and symbol[1:].isdigit():
                return self.chosen(name, int(symbol[1:]))
        while self.accept("'"):
            symbol += "'"
        if self.next == "(" and not self.token.spaced and self.is_function(name):
            return self.unknown_call(symbol, name)
        return CONSTANTS.get(symbol, Sym(symbol))

    def subscript(self) -> str:
        if not self.accept("{"):
            token = self.take()
            if token.kind not in ("number", "word", "text") or len(token.text) > 1:
                raise NotUnderstood("subscript")
            return token.text
        parts: list[str] = []
        while not self.accept("}"):
            token = self.take()
            if token.text in ("{", "") or len(parts) > 8:
                raise NotUnderstood("subscript")
            parts.append(token.text.removeprefix("\\"))
        return "".join(parts)

    def chosen(self, name: str, total: int) -> Node:
        """`C_{10}^{3}`, `A_{10}^{3}`: combinations and permutations."""
        start = self.position
        self.take()
        count = self.script()
        if isinstance(count, Num) and count.value <= total:
            whole = Num(Fraction(total))
            return (
                tree.call("binomial", whole, count) if name == "C" else permutations(whole, count)
            )
        self.position = start
        return Sym(f"{name}{total}")

    def is_function(self, name: str) -> bool:
        return (len(name) == 1 and (name in _FUNCTION_LETTERS or name.isupper())) or (
            name in _FUNCTION_GREEK
        )

    def unknown_call(self, symbol: str, name: str) -> Node:
        self.expect("(")
        items = [tree.scalar(item) for item in self.items()]
        self.expect(")")
        if symbol in ("C", "P") and len(items) == 2:
            return tree.call("binomial", *items) if symbol == "C" else permutations(*items)
        mark = "@" if name in _FUNCTION_LETTERS or name in _FUNCTION_GREEK else "?"
        return tree.Call(symbol + mark, tuple(items))

    def command(self, command: str) -> Node:
        name = command[1:]
        match name:
            case "frac":
                return self.fraction()
            case "sqrt":
                return self.radical()
            case "binom":
                return tree.call("binomial", self.argument(), self.argument())
            case "infty":
                return tree.INFINITY
            case "pi" | "imath":
                return Const("pi" if name == "pi" else "i")
            case "emptyset" | "varnothing":
                return Const("empty")
            case (
                "angle"
                | "triangle"
                | "overline"
                | "bar"
                | "widehat"
                | "hat"
                | "vec"
                | "overrightarrow"
            ):
                return self.figure(name)
            case "lg":
                return self.common_logarithm()
        if name in OPENERS or command in OPENERS:
            return self.bracketed(command)
        if name in GREEK:
            return self.subscripted(name)
        if name in FUNCTIONS:
            return self.function(name, is_latex=True)
        if self.is_alone(command):
            return Sym(command)
        raise NotUnderstood(command)

    def is_alone(self, command: str) -> bool:
        """An unknown command that is a whole side of a relation can only be a name."""
        before = self.tokens[self.position - 2].text if self.position > 1 else ""
        sides = {"=", "\\neq", ",", ""}
        return before in sides and self.next in sides and len(command) > 2

    def figure(self, name: str) -> Node:
        """`\\angle ABC`, `\\overline{AB}`: a name made of points."""
        is_braced = self.accept("{")
        token = self.take()
        if token.kind not in ("word", "text"):
            raise NotUnderstood(name)
        if is_braced:
            self.expect("}")
        bare = name == "overline" and len(token.text) == 2
        return Sym(token.text if bare else f"{name} {token.text}")

    def common_logarithm(self) -> Node:
        ten = Num(Fraction(10))
        return tree.divide(*(tree.call("log", node) for node in (*self.arguments(), ten)))

    def function(self, name: str, is_latex: bool = False) -> Node:
        """`\\sin x`, `\\sin(2x)`, `\\sin^2 x`, `\\sin^{-1} x`, `\\log_2 3`."""
        is_glued = self.next_kind == "number" and not is_latex and not self.token.spaced
        if is_glued and self.ahead(1).text == "(":
            raise NotUnderstood("log2(8) or log(2 * 8)")
        if name == "log" and self.accept("_"):
            base = tree.scalar(self.primary())
            return FUNCTIONS["log"]([*self.arguments(), base])
        exponent: Node = tree.ONE
        if self.accept("^"):
            exponent = tree.scalar(self.script())
        if exponent == tree.MINUS_ONE and name in ("sin", "cos", "tan"):
            return FUNCTIONS[f"a{name}"](self.arguments())
        if not isinstance(exponent, Num) or exponent.value < 0:
            raise NotUnderstood("a function raised to that")
        arguments = self.arguments()
        if name == "log" and is_latex and len(arguments) == 1:
            return tree.power(tree.call("log?", *arguments), exponent)
        return tree.power(FUNCTIONS[name](arguments), exponent)

    def arguments(self) -> list[Node]:
        if self.accept("("):
            items = self.items()
            self.expect(")")
            if self.next in ("^", "!", "**"):
                raise NotUnderstood("does the power belong to the argument?")
            return items
        factors = [tree.scalar(self.powered())]
        while self.is_argument():
            factors.append(tree.scalar(self.powered()))
        return [tree.multiply(*factors)]

    def is_argument(self) -> bool:
        """Does the argument of a function without brackets go on? `\\sin 2x`, not `\\sin x cm`."""
        if self.next_kind in ("word", "text"):
            return not self.is_no_factor(self.token) and self.next not in FUNCTIONS
        return self.next == "\\pi" or self.next.removeprefix("\\") in GREEK
