"""Values with a currency, a scale (`million`), a percent sign or a unit."""

from rstar_async.answers import tree
from rstar_async.answers.number_words import scale
from rstar_async.answers.reader import CURRENCIES, Reader
from rstar_async.answers.tokens import Token
from rstar_async.answers.tree import Node, NotUnderstood, Num, Quantity
from rstar_async.answers.units import PERCENT, Unit, parse_unit
from rstar_async.answers.wordlists import STOPS

_CODES = frozenset(("USD", "EUR", "GBP", "CNY", "RMB", "JPY", "INR"))


class Measured(Reader):
    """A formula and what belongs to its value."""

    def measured(self) -> Node:
        """A formula and the currency, scale, percent sign or unit that belongs to it."""
        currency = self.currency()
        value = self.sum()
        node = self.with_unit(value)
        if currency is not None and self.next in ("/", "per", "an", "a", "each"):
            return self.rate(tree.scalar(node), currency)
        if currency is None:
            return self.compound(node) if isinstance(node, Quantity) else node
        if isinstance(node, Quantity):
            if node.unit != currency:
                raise NotUnderstood("two units")
            return node
        return Quantity(node, currency)

    def rate(self, value: Node, currency: Unit) -> Node:
        """`$29/hour`: a currency before the number and the rest of the unit after it."""
        self.take()
        rest = self.unit(tree.ONE)
        if rest is None:
            raise NotUnderstood("money per what?")
        powers = [(name, -power) for name, power in rest.dimensions]
        dimensions = tuple(sorted([*currency.dimensions, *powers]))
        return Quantity(value, Unit(currency.factor / rest.factor, dimensions))

    def currency(self) -> Unit | None:
        """The sign before a number; a minus may come before it."""
        offset = 1 if self.next == "-" else 0
        token = self.ahead(offset)
        if token.text not in CURRENCIES and token.text not in _CODES:
            return None
        if token.text in _CODES and self.ahead(offset + 1).kind != "number":
            return None
        del self.tokens[self.position + offset]
        return parse_unit([token.text])

    def with_unit(self, value: Node) -> Node:
        while self.next_kind in ("word", "text", "han") and isinstance(value, Num):
            if self.next_kind == "han" and parse_unit([self.next]):
                break
            factor = scale(self.next) or (scale(self.next[0]) if self.next_kind == "han" else None)
            if factor is None:
                break
            self.take_scale()
            value = Num(value.value * factor, value.digits, 0)
        is_per_cent = (self.next.lower(), self.ahead(1).text.lower()) == ("per", "cent")
        if is_per_cent or self.next == "%" or self.next.lower() in ("percent", "percentage", "pct"):
            self.position += 2 if is_per_cent else 1
            self.accept(".")
            return Quantity(tree.scalar(value), PERCENT)
        is_angle = self.ahead(1).text.lower() not in ("c", "f", "celsius", "fahrenheit")
        if self.next.lower() in ("degree", "degrees", "deg", "度") and is_angle:
            self.take()
            return tree.multiply(tree.scalar(value), tree.DEGREE)
        unit = self.unit(value)
        return value if unit is None else Quantity(tree.scalar(value), unit)

    def take_scale(self) -> None:
        token = self.token
        if token.kind == "han" and len(token.text) > 1:
            self.tokens[self.position] = Token("han", token.text[1:])
        else:
            self.take()

    def unit(self, value: Node) -> Unit | None:
        """The unit here; the longest run of words that names one."""
        ends, parts = [self.position], list[str]()
        while part := self.unit_part(bool(parts)):
            parts.append(part)
            ends.append(self.position)
        is_one = value in (tree.ONE, tree.HALF) or (
            isinstance(value, Num) and 0 < value.value < 1 and not value.digits
        )
        for length in range(len(parts), 0, -1):
            unit = parse_unit(parts[:length], is_one)
            if unit is not None:
                self.position = ends[length]
                return unit
        self.position = ends[0]
        return None

    def unit_part(self, has_begun: bool) -> str:
        token = self.token
        if token.kind in ("word", "text", "han"):
            return "" if token.text in STOPS and not self.is_inch() else self.take().text
        if token.text == "°" and self.ahead(1).text in ("C", "F"):
            self.take()
            return "°" + self.take().text
        if token.text in CURRENCIES and not has_begun:
            return self.take().text
        if not has_begun:
            return ""
        if token.text == "^":
            return self.unit_power()
        following = self.ahead(1).kind in ("word", "text", "han")
        if token.text in ("/", "*") and following:
            return self.take().text
        return self.take().text if token.text == "." else ""

    def is_inch(self) -> bool:
        return self.next == "in" and self.ahead(1).text not in ("(", "[", "\\{")

    def unit_power(self) -> str:
        texts = [self.ahead(offset).text for offset in range(1, 5)]
        if texts[0] in ("2", "3"):
            self.position += 2
            return "^" + texts[0]
        if texts[0] == "{" and texts[1] in ("2", "3") and texts[2] == "}":
            self.position += 4
            return "^" + texts[1]
        if texts[0] == "{" and texts[1] == "-" and texts[2] in "123" and texts[3] == "}":
            self.position += 5
            return "^-" + texts[2]
        return ""

    def compound(self, first: Quantity) -> Node:
        """`3 hours 20 minutes`, `5 feet, 6 inches`: smaller units of the same kind follow."""
        parts = [first]
        while True:
            start = self.position
            if self.next in (",", "and"):
                self.take()
            if self.next_kind != "number":
                break
            node = self.with_unit(self.sum())
            if not isinstance(node, Quantity) or not _continues(parts[-1], node):
                break
            parts.append(node)
        self.position = start
        return first if len(parts) == 1 else _joined(parts)


def _continues(before: Quantity, node: Quantity) -> bool:
    return node.unit.dimensions == before.unit.dimensions and node.unit.factor < before.unit.factor


def _joined(parts: list[Quantity]) -> Quantity:
    smallest = parts[-1].unit
    terms = (tree.multiply(Num(part.unit.factor / smallest.factor), part.value) for part in parts)
    return Quantity(tree.add(*terms), smallest, is_compound=True)
