from rstar_async.config import EvaluationConfig, SearchConfig
from rstar_async.evaluation.recorded_tree import RecordedTree
from rstar_async.evaluation.sampling import Greedy, Sampling
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

    tree = RecordedTree()
    await Sampling(4).grow(expander(Script(texts, outcome)), tree, EvaluationConfig())
    solutions = tree.solutions()
    assert len(solutions) == 4
    assert sorted(proposal.answer for proposal, _ in solutions) == ["", "3", "3", "4"]
    (text,) = {text for proposal, text in solutions if proposal.is_correct}
    assert text == STEP + LAST + RIGHT


def test_the_greedy_solution_is_one_without_sampling():
    assert Greedy().width == 1
    assert Greedy().search_settings(SearchConfig(temperature=0.8)).temperature == 0.0


async def test_solutions_come_in_an_order_that_does_not_depend_on_timing():
    """The first and the last child of the root part again; the last is expanded first."""
    tree, made = RecordedTree(), expander(Script(lambda request: [RIGHT, WRONG][: request.n]))
    steps = expander(Script(lambda _: [STEP, STEP.replace("3", "4")]))
    (first, _), (last, _) = tree.add(tree.root, await steps.expand(tree.root, 2))
    for node in (last, first):
        tree.add(node, await made.expand(node, 2))
    paths = [proposal.path for proposal, _ in tree.solutions()]
    assert paths == ["0.1.1", "0.1.2", "0.2.1", "0.2.2"]
