from rstar_async.text.steps import (
    OBSERVATION_LIMIT,
    Step,
    StepKind,
    observation,
    parse_step,
    program_of,
)


def test_a_step_is_its_code_without_tags():
    step = parse_step("<code>\n# Add\nx = 1\n<end_of_step>", after_output=False)
    assert step == Step(StepKind.STEP, "# Add\nx = 1", opens_code=True)


def test_the_last_step_ends_the_code():
    step = parse_step("\n# Now print\nprint(x)\n<end_of_code>", after_output=False)
    assert step == Step(StepKind.END_OF_CODE, "# Now print\nprint(x)")


def test_an_answer_counts_only_after_an_output():
    text = "\n<answer>\\boxed{3}<end_of_answer>"
    assert parse_step(text, after_output=True).kind is StepKind.ANSWER
    assert parse_step(text, after_output=False).kind is StepKind.MALFORMED


def test_boxed_in_a_comment_is_code_like_any_other():
    step = parse_step("# so \\boxed{3}\nx = 3\n<end_of_step>", after_output=False)
    assert step.kind is StepKind.STEP


def test_a_forged_output_is_malformed():
    text = "print(1)\n<output>2<end_of_output><end_of_step>"
    assert parse_step(text, after_output=False).kind is StepKind.MALFORMED


def test_a_piece_without_an_end_is_unfinished():
    assert parse_step("# thinking", after_output=False).kind is StepKind.UNFINISHED


def test_a_program_is_the_sources_of_its_steps():
    steps = [
        parse_step("<code>\na = 1\n<end_of_step>", after_output=False),
        parse_step("\nprint(a)\n<end_of_code>", after_output=False),
    ]
    assert program_of(steps) == ["a = 1", "print(a)"]


def test_a_second_code_block_is_a_new_program():
    steps = [
        parse_step("<code>\nprint(1)\n<end_of_code>", after_output=False),
        parse_step("\n<code>\nb = 2\n<end_of_step>", after_output=True),
    ]
    assert program_of(steps) == ["b = 2"]


def test_code_after_the_output_must_open_a_block():
    assert parse_step("\nb = 2\n<end_of_step>", after_output=True).kind is StepKind.MALFORMED


def test_long_output_is_cut_in_the_middle():
    text = observation("a" * 3000 + "z" * 3000)
    inner = text.removeprefix("\n<output>").removesuffix("<end_of_output>")
    half = OBSERVATION_LIMIT // 2
    assert inner == "a" * half + "..." + "z" * half
