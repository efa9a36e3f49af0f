from scripts.word_problems import as_written, infix, problems, split, svamp

ROW = {
    "Question": "a cart 's load is number0 sacks . it costs $ number1 . what do number2 cost ?",
    "Numbers": "4.0 2.5 12.0",
    "Equation": "* number1 / number2 number0",
    "Answer": "7.5",
}


def test_a_row_becomes_a_problem_with_its_numbers_in_place():
    (found,) = problems([ROW, ROW])
    assert found == {
        "question": "a cart's load is 4 sacks. it costs $2.5. what do 12 cost?",
        "equation": "2.5 * (12 / 4)",
        "answer": "7.5",
    }


def test_a_row_whose_equation_does_not_give_its_answer_is_left_out():
    assert list(problems([ROW | {"Answer": "8"}, ROW | {"Equation": "/ number0 0.0"}])) == []


def test_prefix_notation_becomes_infix():
    assert infix("+ number0 number1") == "number0 + number1"
    assert infix("- / number0 number1 number2") == "(number0 / number1) - number2"
    assert infix("* - number0 number1 100.0") == "(number0 - number1) * 100"


def test_signs_stand_where_people_write_them():
    assert as_written("he 's got $ 5 , and 20 % more .") == "he's got $5, and 20% more."


def test_parts_are_disjoint_equal_each_time_and_only_demonstrations_have_equations():
    rows = [{"question": f"q{n}", "equation": "1 + 1", "answer": "2"} for n in range(600)]
    parts = split(rows)
    assert parts == split(rows[::-1])
    assert {name: len(part) for name, part in parts.items()} == {
        "demonstrations": 200,
        "heldout": 300,
        "train": 100,
    }
    assert len({row["question"] for part in parts.values() for row in part}) == 600
    assert [name for name, part in parts.items() if "equation" in part[0]] == ["demonstrations"]


def test_a_problem_of_svamp_is_one_text():
    row = {"Body": "He has 93 pears in 2 groups", "Question": "How many?", "Answer": 46.5}
    assert list(svamp([row])) == [
        {"question": "He has 93 pears in 2 groups. How many?", "answer": "46.5"}
    ]
