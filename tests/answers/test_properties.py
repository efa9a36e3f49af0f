from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from rstar_async.answers import tree
from rstar_async.answers.equivalence import compare
from rstar_async.answers.latex_text import to_latex
from rstar_async.answers.normal_form import normal_form
from rstar_async.answers.spelling import spell
from rstar_async.answers.tree import Const, Node, Num, Sym

QUICK = settings(max_examples=60, deadline=None)
SIGNS = r"\left( \right) { } ( ) [ ] , ^ _ + - * / = < | ! % $ \boxed{ ; : ° \pm \cup \\ & **"
NAMES = r"\frac \sqrt \pi 1 23 0.5 x y \text{a} \begin{pmatrix} \end{pmatrix} sin( sqrt( e i 1e5"
PIECES = st.sampled_from([*SIGNS.split(), *NAMES.split(), " "])
SOUP = st.lists(PIECES, max_size=25).map("".join)

NUMBERS = st.fractions(min_value=-50, max_value=50, max_denominator=12).map(Num)
LEAVES = st.one_of(NUMBERS, st.sampled_from([Sym("x"), Sym("y"), Const("pi")]))


def grow(children: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    pairs = st.tuples(children, children)
    return st.one_of(
        pairs.map(lambda pair: tree.add(*pair)),
        pairs.map(lambda pair: tree.multiply(*pair)),
        children.map(tree.negate),
        st.tuples(children, st.integers(2, 3)).map(
            lambda pair: tree.power(pair[0], Num(Fraction(pair[1])))
        ),
    )


TREES = st.recursive(LEAVES, grow, max_leaves=6)


def plain(value: Fraction) -> list[str]:
    """Ways to write one fraction."""
    top, bottom = value.numerator, value.denominator
    sign, size = ("-" if top < 0 else ""), abs(top)
    ways = [f"{top}/{bottom}", f"{sign}\\frac{{{size}}}{{{bottom}}}", f"Rational({top}, {bottom})"]
    return [*ways, str(top)] if bottom == 1 else ways


@QUICK
@given(SOUP)
def test_any_text_equals_itself(text: str):
    assert compare(text, text) == "equal"


@QUICK
@given(SOUP, SOUP)
def test_any_two_texts_can_be_compared(gold: str, predicted: str):
    compare(gold, predicted)


@QUICK
@given(SOUP)
def test_spelling_twice_is_spelling_once(text: str):
    assert spell(spell(text)) == spell(text)


@QUICK
@given(st.fractions(max_denominator=30), st.fractions(max_denominator=30), st.data())
def test_fractions_compare_by_value_however_written(one: Fraction, other: Fraction, data):
    left, right = (data.draw(st.sampled_from(plain(value))) for value in (one, other))
    assert compare(left, right) == ("equal" if one == other else "different")
    assert compare(left, data.draw(st.sampled_from(plain(one)))) == "equal"


@QUICK
@given(TREES)
def test_a_written_tree_reads_back_as_the_same_value(node: Node):
    text = to_latex(node)
    assert normal_form(text).tree is not None
    assert compare(text, to_latex(tree.add(node, tree.ONE, tree.MINUS_ONE))) == "equal"


@QUICK
@given(TREES, TREES)
def test_scalars_compare_symmetrically(one: Node, other: Node):
    assert compare(to_latex(one), to_latex(other)) == compare(to_latex(other), to_latex(one))


@QUICK
@given(TREES, st.integers(1, 5))
def test_another_value_is_never_equal(node: Node, shift: int):
    shifted = tree.add(node, Num(Fraction(shift)))
    assert compare(to_latex(node), to_latex(shifted)) != "equal"


@QUICK
@given(
    TREES, st.sampled_from(["${}$", r"\boxed{{{}}}", r"\({}\)", "  {} ", "{}.", r"\left({}\right)"])
)
def test_typographic_noise_changes_nothing(node: Node, noise: str):
    text = to_latex(node)
    noisy = noise.format(text.replace(r"\frac", r"\dfrac").replace(" ", r"\, "))
    assert compare(text, noisy) == "equal"


@QUICK
@given(st.lists(st.integers(-99, 99), min_size=2, max_size=6, unique=True), st.randoms())
def test_lists_are_unordered_and_tuples_are_not(values: list[int], random):
    shuffled = random.sample(values, len(values))
    joined = [", ".join(map(str, order)) for order in (values, shuffled)]
    assert compare(joined[0], joined[1]) == "equal"
    assert compare(f"\\{{{joined[0]}\\}}", f"[{joined[1]}]") == "equal"
    expected = "equal" if values == shuffled else "different"
    assert compare(f"({joined[0]})", f"({joined[1]})") == expected
