"""The demo's tasks as problems of this domain, judged in a real sandbox."""

from rstar_async.domains.programming.domain import ProgrammingDomain
from rstar_async.domains.programming.generated import GeneratedProgram, generated_problems
from rstar_async.domains.programming.problem import read_tests
from rstar_async.text import tags


def program_of(problem: GeneratedProgram) -> list[str]:
    code = problem.solution.removeprefix(tags.CODE).removesuffix(tags.END_OF_CODE)
    return [step.strip("\n") for step in code.split(tags.END_OF_STEP)]


def test_gold_programs_are_right_and_others_wrong(judge):
    for problem in generated_problems(3, (1, 3, 6), 1, "train"):
        *steps, last = program_of(problem)
        tests = read_tests(problem.answer)
        right, wrong = judge(
            tests, [*steps, last], [*steps, last.replace("return f", "return repr, f")]
        )
        assert {result.verdict for result in right} == {"right"}
        assert {result.verdict for result in wrong} == {"wrong"}


def test_the_example_is_a_public_test_and_the_others_are_hidden():
    for problem in ProgrammingDomain().generate(20, (1, 2, 3), 1, "heldout"):
        tests = read_tests(problem.answer)
        assert problem.question.endswith(tests.public[0])
        assert len(tests.tests) == 5
        assert not any(test in problem.question for test in tests.tests)


def test_generated_questions_have_a_judge_of_steps():
    domain = ProgrammingDomain()
    for problem in domain.generate(20, (1, 2, 3), 1, "train"):
        assert domain.step_judge(problem.question) is not None
    assert domain.step_judge("Write a function that adds two numbers.") is None
