from rstar_async.evaluation.sampling import sample_solutions
from rstar_async.wire.payloads import Executed
from tests.search.scripted import Script, expander

STEP = "<code>\nx = 3\n<end_of_step>"
LAST = "\nprint(x)\n<end_of_code>"
RIGHT = "\n<answer>\\boxed{3}<end_of_answer>"
WRONG = "\n<answer>\\boxed{4}<end_of_answer>"


async def test_samples_part_where_their_texts_do_and_every_one_is_counted():
    depth = {}

    def texts(request):
        depth[len(request.prompt)] = depth.get(len(request.prompt), 0) + 1
        if len(depth) == 1:
            return [STEP] * 3 + ["<code>\ny = 1/0\n<end_of_step>"]
        if len(depth) == 2:
            assert request.n == 3
            return [LAST] * 3
        return [RIGHT, WRONG, RIGHT]

    def outcome(job):
        return Executed("exception") if "1/0" in job.steps[-1] else Executed("ok", stdout="3")

    result = await sample_solutions(expander(Script(texts, outcome)), 4)
    assert sorted(s.is_correct for s in result.solutions) == [False, False, True, True]
    right = next(s for s in result.solutions if s.is_correct)
    assert right.text == STEP + LAST + RIGHT
    assert right.answer == "3"
