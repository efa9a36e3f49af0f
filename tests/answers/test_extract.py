from hypothesis import given, settings
from hypothesis import strategies as st

from rstar_async.answers.equivalence import compare
from rstar_async.answers.extract import answer_part, boxed_answers, extract_answer


def test_all_closed_boxes_count():
    assert extract_answer(r"so \boxed{\frac{1}{2}}.") == r"\frac{1}{2}"
    assert extract_answer(r"\boxed{2} and \boxed{3}") == "2, 3"
    assert extract_answer(r"first \boxed{1}, then \boxed{\frac{1}{2}}.") == r"1, \frac{1}{2}"


def test_what_is_boxed_twice_is_one_answer():
    assert extract_answer(r"\boxed{7}. The answer is \boxed{7}.") == "7"


def test_search_and_verify_read_boxes_by_one_rule():
    for text in (r"\boxed{2} and \boxed{3}", r"<answer>\boxed{2}<end_of_answer>\boxed{3}"):
        assert answer_part(text) == extract_answer(text)
        assert compare(text, "3") != "equal"


def test_a_percent_sign_after_a_box_belongs_to_it():
    assert extract_answer(r"That is $\boxed{20}\%$.") == "20 percent"


def test_a_text_without_a_box_concludes_with_its_only_claim():
    assert answer_part("So there are 12 such numbers.") == "12 such numbers"
    assert answer_part("The final answer is $5$. I hope it is correct.") == "5"
    for text in ("x is 3 and y is 4", "at least $3$", "The answer is not 3"):
        assert answer_part(text) == text


def test_a_box_that_never_closes_is_passed_over():
    assert extract_answer(r"\boxed{3} and \boxed{4 + {") == "3"
    assert extract_answer(r"\boxed{ a \boxed{7} b") == "7"


def test_no_box_is_no_answer():
    assert extract_answer("the answer is 5") is None
    assert extract_answer(r"boxed 5, \boxed 5") is None
    assert extract_answer("") is None


def test_text_command_around_the_answer_is_opened():
    assert extract_answer(r"\boxed{\text{even}}") == "even"
    assert extract_answer(r"\boxed{\text{(C)}}") == "(C)"
    assert extract_answer(r"\boxed{5\text{ cm}}") == r"5\text{ cm}"


def test_answer_is_not_cut_at_a_full_stop_and_line_break():
    assert extract_answer("So it holds.\nTherefore \\boxed{12}.\nDone.") == "12"
    assert extract_answer("\\boxed{1.\n5}") == "1.\n5"


def test_answer_section_is_preferred():
    text = r"<code># maybe \boxed{1}<end_of_code><answer>It is \boxed{2}<end_of_answer>\boxed{3}"
    assert extract_answer(text) == "2"
    assert extract_answer(r"\boxed{1}<answer>unfinished") == "1"


def test_escaped_braces_do_not_count():
    assert extract_answer(r"\boxed{\{1, 2\}}") == r"\{1, 2\}"


def test_inner_box_belongs_to_the_outer_one():
    assert boxed_answers(r"\boxed{\boxed{3}} \fbox{4}") == [r"\boxed{3}", "4"]


def test_a_megabyte_of_open_boxes_is_read_once():
    assert extract_answer(r"\boxed{" * 150_000) is None
    assert extract_answer(r"\boxed{" * 100_000 + "1" + "}" * 10) is not None


@settings(deadline=None)
@given(st.text(alphabet="\\boxedtext{}<answr> 1.\n", max_size=80))
def test_any_text_can_be_read(text: str):
    answer = extract_answer(text)
    assert answer is None or all(part in text for part in answer.split(", "))


@settings(deadline=None)
@given(st.text(alphabet="abc123{}^\\,. ", max_size=30))
def test_what_is_boxed_is_found(content: str):
    plain = content.replace("{", "").replace("}", "").replace("\\", "")
    assert extract_answer(f"noise \\boxed{{{plain}}}.\nmore") == plain.strip()
