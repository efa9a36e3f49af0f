"""Everything an answer may be, read to its last token: lists, relations, sets, conditions.

Builds on `expressions`. Whatever is ambiguous, unknown or left over is `NotUnderstood`, so that
an answer is either read as a whole or not at all.
"""

from rstar_async.answers import tree
from rstar_async.answers.brackets import Brackets, combined
from rstar_async.answers.expressions import Expressions
from rstar_async.answers.measured import Measured
from rstar_async.answers.reader import RELATIONS
from rstar_async.answers.special import Special
from rstar_async.answers.tokens import tokenize
from rstar_async.answers.tree import Const, Group, Node, NotUnderstood, Relation, Sym
from rstar_async.answers.wordlists import CONDITIONS, FILLERS

MAX_CHARS = 1000
SETS = ("R", "Z", "N", "Q", "C")
_SEPARATORS = (",", ";")
_AND, _OR = ("and", "\\wedge", "\\land", "&", "和", "与", "且"), ("or", "\\vee", "\\lor", "或")
_LOGIC = ("\\wedge", "\\land", "\\vee", "\\lor")
_NUMBER_SETS = {
    "integer": "Z", "integers": "Z", "real": "R", "reals": "R", "natural": "N", "rational": "Q",
    "complex": "C",
}  # fmt: skip
_SET_OPERATIONS = {"\\cup": "union", "\\cap": "intersection", "\\setminus": "without"}
_ORDERED = ({"<", "<="}, {">", ">="})


def parse_answer(spelled: str) -> Node:
    """The tree of a spelled answer; `NotUnderstood` for anything outside the grammar."""
    if len(spelled) > MAX_CHARS:
        raise NotUnderstood("too long")
    answer = Answer(tokenize(spelled))
    node = answer.whole()
    if answer.next_kind != "finish":
        raise NotUnderstood(f"left over: {answer.next!r}")
    return node


class Answer(Expressions, Brackets, Special, Measured):
    """Everything that may hold several expressions."""

    def whole(self) -> Node:
        """A choice, or a list with the conditions that follow it."""
        return self.choice() or self.statement()

    def statement(self) -> Node:
        before = self.conditions() if self.next == "\\forall" else []
        if before and not (self.accept(",") or self.accept(":")):
            raise NotUnderstood("nothing holds for all")
        items, joiners = self.joined(expands=True)
        conditions = [*before, *self.conditions()]
        items, memberships = _split_memberships(items)
        body = combined(items, joiners)
        conditions += memberships
        return tree.Where(body, tuple(conditions)) if conditions else body

    def items(self) -> list[Node]:
        return self.joined()[0]

    def joined(self, expands: bool = False) -> tuple[list[Node], set[str]]:
        """Items and the words between them; `expands` makes two of an item with a plus-minus."""
        items, joiners = self.item(expands), set[str]()
        while joiner := self.joiner():
            joiners.add(joiner)
            if self.ahead(-1).text in _LOGIC:
                joiners.add("logic")
            items += self.item(expands)
        return items, joiners

    def joiner(self) -> str:
        found = ""
        if self.next in _SEPARATORS:
            if self.ahead(1).text in CONDITIONS:
                return ""
            self.take()
            found = ","
        if self.next in _AND and not (self.next == "&" and found):
            self.take()
            return "and"
        if self.next in _OR:
            self.take()
            return "or"
        return found

    def item(self, expands: bool = False) -> list[Node]:
        """One item, or the two that a plus-minus in it stands for."""
        if not expands:
            return [self.one()]
        start, outside = self.position, (self.sign, self.signs_seen)
        self.sign, self.signs_seen = 1, 0
        first, seen = self.one(), self.signs_seen
        if not seen:
            self.sign, self.signs_seen = outside
            return [first]
        if seen > 1 or outside[1]:
            raise NotUnderstood("signs that may be chosen apart")
        self.position, self.sign = start, -1
        both = [first, self.one()]
        self.sign, self.signs_seen = outside
        return both

    def one(self) -> Node:
        """Words and times may not stand in the braces of a formula: `\\frac{NO}{BO}`."""
        if self.is_formula:
            return self.relation()
        found = self.special()
        if isinstance(found, Const) and self.next in ("except", "excluding"):
            self.take()
            self.accept("for")
            return Group("without", (found, Group("set", tuple(self.items()))))
        return found or self.relation()

    def relation(self) -> Node:
        """A value, `a = b`, `a < b < c`, `a = b (mod m)`."""
        parts, operators = [self.operand()], list[str]()
        while (operator := self.operator()) is not None:
            operators.append(operator)
            parts.append(self.operand())
        modulus = self.modulus()
        if modulus is not None:
            return _congruence(parts, operators, modulus)
        if not operators:
            return parts[0]
        if "mod" in operators:
            raise NotUnderstood("a congruence without its modulus")
        return _related(parts, operators)

    def operator(self) -> str | None:
        if self.next in RELATIONS:
            return RELATIONS[self.take().text]
        after = self.ahead(1)
        is_membership = after.text in ("(", "[", "\\{") or after.kind == "set"
        if self.next == "in" and is_membership:
            self.take()
            return "in"
        return None

    def modulus(self) -> Node | None:
        """`\\pmod 7`, `(mod 7)`, `mod 7`."""
        is_bracketed = self.next == "(" and self.ahead(1).text in ("mod", "\\mod", "\\bmod")
        if is_bracketed:
            self.take()
        if self.next not in ("\\pmod", "\\mod", "\\bmod", "mod"):
            return None
        is_braced = self.take().text == "\\pmod"
        value = self.argument() if is_braced else tree.scalar(self.sum())
        if is_bracketed:
            self.expect(")")
        return value

    def operand(self) -> Node:
        """`A \\cup B`, `A \\setminus B`, the ratio `a : b`, or a value with its unit."""
        parts = [self.measured()]
        kind = (
            "ratio" if self.next == ":" and not self.is_set else _SET_OPERATIONS.get(self.next, "")
        )
        while kind and (
            self.accept(":")
            if kind == "ratio"
            else _SET_OPERATIONS.get(self.next) == kind and self.take()
        ):
            parts.append(self.measured())
        if self.next in _SET_OPERATIONS or (self.next == ":" and not self.is_set):
            raise NotUnderstood("mixed set operations")
        return parts[0] if len(parts) == 1 else Group(kind, tuple(parts))

    def conditions(self) -> list[Node]:
        """What an answer holds for: `for k \\geq 1`, `where k \\in \\mathbb{Z}`, `\\forall x`."""
        if self.next == "(" and self.is_remark():
            self.take()
            found = self.items()
            self.expect(")")
            return found
        self.accept(",")
        if self.next != "\\forall" and self.next not in CONDITIONS:
            return []
        is_universal = self.take().text == "\\forall"
        numbers = ""
        while self.next_kind in ("word", "text") and (
            self.next in _NUMBER_SETS or self.next in FILLERS
        ):
            numbers = _NUMBER_SETS.get(self.take().text, numbers)
        self.in_condition = True
        found = self.item() if is_universal else self.items()
        numbers = self.kind_of_number() or numbers
        self.in_condition = False
        if numbers:
            found = [Relation("in", item, Const(numbers)) for item in found]
        if not all(isinstance(item, Relation | Group | Sym) for item in found):
            raise NotUnderstood("a condition that is none")
        return found

    def kind_of_number(self) -> str:
        """`k is an integer`, `m and n are integers`."""
        if self.next not in ("is", "are"):
            return ""
        self.take()
        while self.next in ("a", "an", "any", "both"):
            self.take()
        numbers = _NUMBER_SETS.get(self.take().text, "")
        if self.next in ("number", "numbers"):
            self.take()
        if not numbers:
            raise NotUnderstood("a condition in words")
        return numbers


def _split_memberships(items: list[Node]) -> tuple[list[Node], list[Node]]:
    """Trailing `k \\in \\mathbb{Z}` are conditions on the items before that hold a k."""
    conditions: list[Node] = []
    while len(items) > 1 and _is_membership(items[-1]):
        conditions.insert(0, items[-1])
        items = items[:-1]
    return items, conditions


def _is_membership(node: Node) -> bool:
    return (
        isinstance(node, Relation)
        and node.operator == "in"
        and isinstance(node.left, Sym)
        and isinstance(node.right, Const)
    )


def _congruence(parts: list[Node], operators: list[str], modulus: Node) -> Node:
    if len(parts) == 1:
        return tree.Congruence(None, parts[0], modulus)
    if len(parts) == 2 and operators[0] in ("mod", "="):
        return tree.Congruence(parts[0], parts[1], modulus)
    raise NotUnderstood("a chain of congruences")


def _related(parts: list[Node], operators: list[str]) -> Node:
    if operators[-1] == "~":
        parts, operators = parts[:-1], operators[:-1]
        if not operators:
            return parts[0]
    if len(operators) == 1:
        right = parts[1]
        if operators[0] == "in" and isinstance(right, Sym) and right.name in SETS:
            right = Const(right.name)
        return Relation(operators[0], parts[0], right)
    if set(operators) == {"="}:
        return Group("equal", tuple(parts))
    if any(set(operators) <= order for order in _ORDERED):
        pairs = zip(operators, parts[:-1], parts[1:], strict=True)
        return Group("and", tuple(Relation(*pair) for pair in pairs))
    raise NotUnderstood("a chain of different relations")
