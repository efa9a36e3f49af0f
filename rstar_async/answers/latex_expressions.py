"""The arithmetic of LaTeX answers: sums, products, powers, fractions, roots, functions.

Recursive descent; every method reads one level of the grammar and moves on. What is ambiguous
(`1/2x`, `x^a^b`, `\\sin(x)^2`) is refused. Brackets and environments are left to the subclass.
"""

from abc import ABC, abstractmethod
from fractions import Fraction

from rstar_async.answers import tree
from rstar_async.answers.latex_tokens import Cursor, Token
from rstar_async.answers.notation import CONSTANTS, FUNCTIONS, GREEK, decimal_number
from rstar_async.answers.tree import Const, Group, Node, NotUnderstood, Num, Sym

MAX_DEPTH = 30
OPENERS = ("(", "[", "\\{", "{")
RELATIONS = {
    "=": "=", "<": "<", ">": ">", "\\leq": "<=", "\\geq": ">=", "\\neq": "!=", "\\in": "in",
}  # fmt: skip
_CLOSING = ") ] } \\} , ; + - & \\\\ \\end \\cup \\pm | :"
_ENDS = frozenset(_CLOSING.split()) | {"", *RELATIONS}
_DEGREE = tree.multiply(Num(Fraction(1, 180)), Const("pi"))
_TRIGONOMETRIC = frozenset(("sin", "cos", "tan", "cot", "sec", "csc"))


class Expressions(Cursor, ABC):
    """One pass over the tokens of one answer."""

    def __init__(self, tokens: list[Token]) -> None:
        super().__init__(tokens)
        self.depth = 0
        self.in_angle = False

    @abstractmethod
    def items(self) -> list[Node]:
        """What stands between commas."""

    @abstractmethod
    def bracketed(self, opener: str) -> Node:
        """What follows an opening bracket, up to its closing one."""

    @abstractmethod
    def environment(self) -> Node:
        """What follows `\\begin`."""

    def sum(self) -> Node:
        terms = [self.term()]
        while self.next in ("+", "-"):
            sign = self.take().text
            term = tree.scalar(self.term())
            terms.append(term if sign == "+" else tree.negate(term))
        total = terms[0] if len(terms) == 1 else tree.add(*terms)
        return self.plus_minus(total) if self.accept("\\pm") else total

    def plus_minus(self, left: Node) -> Node:
        """`a \\pm b` at the end of a sum stands for two items of the list around it."""
        right = tree.scalar(self.term())
        if self.next in ("+", "-", "\\pm"):
            raise NotUnderstood("more after plus or minus")
        return Group("either", (tree.add(left, right), tree.add(left, tree.negate(right))))

    def term(self) -> Node:
        """Factors; what is written without a sign after a slash is ambiguous and refused."""
        result, divided = self.signed(), False
        while self.next not in _ENDS:
            if self.next in ("*", "/"):
                operator = self.take().text
                divided = divided or operator == "/"
                factor = tree.scalar(self.signed())
            else:
                operator, factor = "*", self.adjacent(divided)
            result = (tree.multiply if operator == "*" else tree.divide)(result, factor)
        return result

    def adjacent(self, divided: bool) -> Node:
        if divided or self.next_kind == "number":
            raise NotUnderstood("ambiguous product")
        return tree.scalar(self.powered())

    def signed(self) -> Node:
        if self.accept("-"):
            return tree.negate(tree.scalar(self.signed()))
        if self.accept("+"):
            return tree.scalar(self.signed())
        return self.powered()

    def powered(self) -> Node:
        base = self.postfixed(self.primary())
        if not (self.accept("^") or self.accept("**")):
            return base
        exponent = tree.power(tree.scalar(base), tree.scalar(self.script()))
        if self.next in ("^", "**"):
            raise NotUnderstood("a tower without braces")
        return self.postfixed(exponent)

    def postfixed(self, node: Node) -> Node:
        if self.accept("!"):
            node = tree.call("factorial", tree.scalar(node))
        if self.accept("°"):
            if not self.in_angle:
                raise NotUnderstood("degrees outside an angle")
            node = tree.multiply(node, _DEGREE)
        if self.next in ("!", "°"):
            raise NotUnderstood("two signs after a value")
        return node

    def script(self) -> Node:
        """What `^` raises to: a braced expression, a signed number or one letter."""
        if self.accept("-"):
            return tree.negate(tree.scalar(self.script()))
        if self.next == "\\frac":
            raise NotUnderstood("unbraced exponent")
        return self.primary()

    def primary(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise NotUnderstood("nested too deeply")
        node = self.atom()
        self.depth -= 1
        return node

    def atom(self) -> Node:
        token = self.take()
        if token.kind == "number":
            return self.numeral(decimal_number(token.text))
        if token.kind == "word":
            return self.name(token.text)
        if token.text in OPENERS:
            return self.bracketed(token.text)
        if token.text == "|":
            return self.absolute()
        if token.kind == "command":
            return self.command(token.text)
        raise NotUnderstood(token.text)

    def numeral(self, whole: Num) -> Node:
        """A number; `52_8` in another base; `2\\frac58`, which adds a proper fraction to it."""
        if self.accept("_"):
            return tree.call("base", whole, tree.scalar(self.primary()))
        if self.next != "\\frac":
            return whole
        fraction = self.primary()
        if whole.digits or not isinstance(fraction, Num) or not 0 < fraction.value < 1:
            raise NotUnderstood("a number before a fraction")
        return Num(whole.value + fraction.value)

    def name(self, name: str) -> Node:
        if name in FUNCTIONS and len(name) > 1:
            return self.function(name)
        if name in CONSTANTS:
            return CONSTANTS[name]
        if name in GREEK:
            return self.subscripted(name)
        if len(name) > 3:
            raise NotUnderstood(name)
        letters = [CONSTANTS.get(letter, Sym(letter)) for letter in name[:-1]]
        return tree.multiply(*letters, self.subscripted(name[-1]))

    def subscripted(self, name: str) -> Node:
        if not self.accept("_"):
            return CONSTANTS.get(name, Sym(name))
        is_braced = self.accept("{")
        token = self.take()
        if token.kind not in ("number", "word") or (len(token.text) > 1 and not is_braced):
            raise NotUnderstood("subscript")
        if is_braced:
            self.expect("}")
        return Sym(name + token.text)

    def absolute(self) -> Node:
        inner = tree.scalar(self.sum())
        self.expect("|")
        return tree.call("abs", inner)

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
            case "pi":
                return Const("pi")
            case "emptyset" | "varnothing":
                return Const("empty")
            case "begin":
                return self.environment()
        if name in GREEK:
            return self.subscripted(name)
        if name in FUNCTIONS and name != "log":
            return self.function(name)
        raise NotUnderstood(command)

    def fraction(self) -> Node:
        top = self.argument()
        return tree.divide(top, self.argument())

    def argument(self) -> Node:
        """A braced group, or the single character LaTeX takes without braces."""
        if self.next_kind == "number":
            return decimal_number(self.split_digit())
        if self.next_kind == "word" and len(self.next) > 1:
            raise NotUnderstood("unbraced argument")
        return tree.scalar(self.primary())

    def radical(self) -> Node:
        degree: Node = Num(Fraction(2))
        if self.accept("["):
            degree = tree.scalar(self.sum())
            self.expect("]")
        return tree.power(self.argument(), tree.divide(tree.ONE, degree))

    def function(self, name: str) -> Node:
        """`\\sin x`, `\\sin(2x)`, `\\sin^2 x`; an inverse written as a power is refused."""
        exponent: Node = tree.ONE
        if self.accept("^"):
            exponent = self.script()
            if not isinstance(exponent, Num) or exponent.value < 0:
                raise NotUnderstood("a function raised to that")
        outside, self.in_angle = self.in_angle, name in _TRIGONOMETRIC
        result = FUNCTIONS[name](self.arguments())
        self.in_angle = outside
        return tree.power(result, exponent)

    def arguments(self) -> list[Node]:
        if self.accept("("):
            items = self.items()
            self.expect(")")
            if self.next in ("^", "!", "**"):
                raise NotUnderstood("does the power belong to the argument?")
            return items
        factors = [tree.scalar(self.powered())]
        while self.next_kind == "word" or self.next == "\\pi":
            factors.append(tree.scalar(self.powered()))
        return [tree.multiply(*factors)]
