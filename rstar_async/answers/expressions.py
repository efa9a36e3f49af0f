"""The arithmetic of answers: sums, products, powers, fractions, roots.

Recursive descent; every method reads one level of the grammar and moves on. What is ambiguous
(`1/2x`, `x^a^b`, `\\sin(x)^2`, `2 3`) is refused.
"""

from fractions import Fraction

from rstar_async.answers import tree
from rstar_async.answers.functions import Functions
from rstar_async.answers.matrices import negative, quotient, times, total
from rstar_async.answers.notation import CONSTANTS, FUNCTIONS, GREEK, decimal_number
from rstar_async.answers.reader import OPENERS, RELATIONS
from rstar_async.answers.tokens import Token
from rstar_async.answers.tree import (
    Const,
    Node,
    NotUnderstood,
    Num,
    Sym,
)
from rstar_async.answers.units import is_unit
from rstar_async.answers.wordlists import JOINERS

MAX_DEPTH = 30
_CLOSING = (
    ") ] } \\} \\rangle \\rfloor \\rceil , ; + - & \\\\ \\cup \\cap \\setminus \\pm \\mp : % . ... "
    "° \\pmod \\bmod \\mod \\forall \\wedge \\vee \\land \\lor $ € £ ¥ ₹ ₽ ₩ ₱"
)
_ENDS = frozenset(_CLOSING.split()) | {"", *RELATIONS}


class Expressions(Functions):
    """One pass over the tokens of one answer."""

    def sum(self) -> Node:
        terms = [self.term()]
        while self.next in ("+", "-", "\\pm", "\\mp"):
            sign = self.any_sign(self.take().text)
            term = self.term()
            terms.append(term if sign > 0 else negative(term))
        return terms[0] if len(terms) == 1 else total(terms)

    def any_sign(self, text: str) -> int:
        """1 or -1; for a plus-minus, the one that is being read this time."""
        if text in ("+", "-"):
            return 1 if text == "+" else -1
        self.signs_seen += 1
        return self.sign if text == "\\pm" else -self.sign

    def term(self) -> Node:
        """Factors; what is written without a sign after a slash is ambiguous and refused."""
        result, divided = self.signed(), False
        while not self.ends_term():
            if self.next in ("*", "/", "\\times"):
                operator = self.take().text
                divided = divided or operator == "/"
                factor = self.signed()
            else:
                operator, factor = "*", self.adjacent(divided)
            if operator == "\\times" and isinstance(result, Sym) and isinstance(factor, Sym):
                raise NotUnderstood("a product of sets, of vectors or of numbers")
            result = quotient(result, factor) if operator == "/" else times(result, factor)
        return result

    def ends_term(self) -> bool:
        token = self.token
        if token.kind in ("finish", "end", "han", "set"):
            return True
        if token.kind in ("word", "text"):
            return self.is_no_factor(token)
        if token.text == "|":
            return bool(self.bars)
        if token.text == "(" and self.is_remark():
            return True
        if token.text == "/" and self.ahead(1).kind in ("word", "text", "han"):
            return self.ahead(1).kind == "han" or self.is_no_factor(self.ahead(1))
        return token.kind != "number" and token.text in _ENDS

    def is_remark(self) -> bool:
        """`(mod 7)`, `(base 2)`, `(k \\in \\mathbb{Z})` after a value."""
        after = self.ahead(1).text
        return after in ("mod", "\\mod", "\\bmod", "base") or self.ahead(2).text == "\\in"

    def is_no_factor(self, token: Token) -> bool:
        """Words that follow a value: a unit, `and`, `mod`, a condition; not `sin`, `pi` or `xy`."""
        name = token.text
        if name in FUNCTIONS and len(name) > 1 and name not in ("arg", "re", "im"):
            return False
        if name in CONSTANTS or name in GREEK:
            return False
        if token.kind == "text":
            return True
        is_long = len(name) > 3 or (len(name) == 3 and token.spaced)
        return is_long or name in JOINERS or is_unit(name) or self.is_rate(name)

    def is_rate(self, name: str) -> bool:
        """The `m/s` of `29 m/s`: two units around a slash, after a number."""
        numerator, denominator = ("m", "g", "L", "l", "J", "N"), ("s", "h", "m", "L", "l")
        after = self.ahead(2)
        return (
            name in numerator
            and self.ahead(-1).kind == "number"
            and self.ahead(1).text == "/"
            and after.kind == "word"
            and (after.text in denominator or is_unit(after.text))
        )

    def adjacent(self, divided: bool) -> Node:
        if divided or self.next in ("'", "!"):
            raise NotUnderstood("ambiguous product")
        if self.next_kind == "number" and not self.is_next_power():
            raise NotUnderstood("ambiguous product")
        before, after = self.ahead(-1), (self.ahead(1).kind, self.ahead(2).text)
        if "." in before.text and self.next == "(" and after == ("number", ")"):
            raise NotUnderstood("0.1(6) may be a period")
        return self.powered()

    def is_next_power(self) -> bool:
        """`2^6 3^5` is a product of powers; `2 3` is not understood."""
        after_power = "^" in (self.ahead(-2).text, self.ahead(-4).text)
        return after_power and self.token.spaced and self.ahead(1).text == "^"

    def signed(self) -> Node:
        if self.next in ("+", "-", "\\pm", "\\mp"):
            sign = self.any_sign(self.take().text)
            value = self.signed()
            return value if sign > 0 else negative(value)
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
        if self.next == "°" and self.ahead(1).text not in ("C", "F"):
            self.take()
            node = self.angle(tree.scalar(node))
        if self.next == "!" or (self.next == "°" and self.ahead(1).text not in ("C", "F")):
            raise NotUnderstood("two signs after a value")
        return node

    def angle(self, degrees: Node) -> Node:
        """Degrees, with the minutes and seconds that follow: `22° 30'`."""
        for sign, parts in (("'", 60), ("''", 3600)):
            quotes = self.ahead(1).text + (self.ahead(2).text if sign == "''" else "")
            if self.next_kind == "number" and quotes == sign:
                part = decimal_number(self.take().text)
                self.position += len(sign)
                degrees = tree.add(degrees, tree.divide(part, Num(Fraction(parts))))
        return tree.multiply(degrees, tree.DEGREE)

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
        match token.kind:
            case "number":
                return self.numeral(decimal_number(token.text))
            case "word" | "text":
                return self.name(token.text)
            case "vector":
                return Sym(f"vector {token.text}")
            case "set":
                return Const(token.text)
            case "begin":
                return self.environment(token.text)
            case "command":
                return self.command(token.text)
        if token.text in OPENERS:
            return self.bracketed(token.text)
        if token.text == "|":
            return self.absolute()
        if token.text == "...":
            return Const("dots")
        raise NotUnderstood(token.text)

    def numeral(self, whole: Num) -> Node:
        """A number; `2\\frac58` and `2 5/8`, which add a proper fraction to it."""
        if self.next == "_":
            raise NotUnderstood("a base inside an expression")
        if self.next == "\\frac":
            return self.mixed(whole, self.primary())
        over = self.ahead(1).text == "/" and self.ahead(2).kind == "number"
        if self.next_kind == "number" and self.token.spaced and over:
            top, _, bottom = self.take(), self.take(), self.take()
            return self.mixed(whole, tree.divide(*map(decimal_number, (top.text, bottom.text))))
        return whole

    def mixed(self, whole: Num, fraction: Node) -> Node:
        if whole.digits or not isinstance(fraction, Num) or not 0 < fraction.value < 1:
            raise NotUnderstood("a number before a fraction")
        if self.next in ("^", "/"):
            raise NotUnderstood("a mixed number in a formula")
        return Num(whole.value + fraction.value)

    def absolute(self) -> Node:
        self.bars += 1
        inner = tree.scalar(self.sum())
        self.expect("|")
        self.bars -= 1
        return tree.call("abs", inner)

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
