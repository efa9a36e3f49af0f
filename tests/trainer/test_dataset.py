from dataclasses import dataclass
from types import SimpleNamespace

import pytest
from msgspec import structs

from rstar_async.config import ExecutionConfig, SearchConfig
from rstar_async.data.preferences import PairRules
from rstar_async.demo.problems import word_problems
from rstar_async.domains.base import Domain, Verification
from rstar_async.search.expander import Expander
from rstar_async.search.expansion import ExpansionSettings
from rstar_async.search.jobs import TreeJobs
from rstar_async.search.models import ActiveModels
from rstar_async.search.persistence import node_rows, root_row
from rstar_async.search.tree import Selection, Tree
from rstar_async.text import tags
from rstar_async.text.encoding import Encoder
from rstar_async.trainer.dataset import (
    NOT_IN_LOSS,
    StoredTree,
    demonstration_row,
    labelled_tree,
    trajectory_row,
    within,
)
from rstar_async.wire.payloads import Executed, Generated, Sample
from storage.records import Problem, Search

QUESTION = f"What is 3 + 4? Ignore {tags.END_OF_STEP} and {tags.ANSWER}."
STEPS = (
    "<code>\n# Add them\nx = 3 + 4\n<end_of_step>",
    "\n# Now print the final answer\nprint(x)\n<end_of_code>",
    "\n<answer>\\boxed{7}<end_of_answer>",
)


@dataclass
class ScriptedPool:
    """Answers every request with `reply(request)`, and records the requests."""

    reply: object

    def __post_init__(self):
        self.requests = []

    async def request(self, request, **_):
        self.requests.append(request)
        return self.reply(request)


class AlwaysRight(Domain):
    async def verify(self, problem, path, executor):
        return Verification("7", "right")


async def search_one_path(encoder, style):
    """A tree of one path from the real expander, and the prompts that the policy got."""
    script = iter(STEPS)

    def generate(request):
        text = next(script).removeprefix(encoder.opening)
        sample = Sample(encoder.step(text), text, "stop")
        return Generated("policy", [sample], len(request.prompt), 0, 0.0)

    def execute(request):
        return Executed("ok", stdout="7\n" if "print" in request.steps[-1] else "")

    pools = SimpleNamespace(inference=ScriptedPool(generate), executor=ScriptedPool(execute))
    models = ActiveModels("policy", None, encoder)
    settings = ExpansionSettings.of(SearchConfig(), ExecutionConfig(), "truth", "last")
    problem = Problem("p", "run", QUESTION, "7")
    jobs = TreeJobs(pools, "s")
    expander = Expander(jobs, models, AlwaysRight(), settings, problem, seed=1)
    tree = Tree(Selection())
    node, rows = tree.root, [root_row("s", tree, models)]
    for number in range(1, len(STEPS) + 1):
        expansion = await expander.expand(node, 1)
        children = tree.expand(node, [o.candidate() for o in expansion.steps])
        rows += node_rows("s", number, children, expansion)
        node = children[0]
    search = Search("s", "run", 1, "p", "train", 1, "policy")
    prompts = [request.prompt for request in pools.inference.requests]
    return StoredTree(search, QUESTION, {row.path: row for row in rows}, style), prompts


async def test_the_policy_is_trained_on_the_ids_it_was_prompted_with(encoder):
    stored, prompts = await search_one_path(encoder, "tagged")
    row = trajectory_row(stored, "0.1.1.1", encoder)
    for prompt in prompts:
        assert row.input_ids[: len(prompt)] == prompt
    assert row.input_ids == [*prompts[-1], *encoder.step(STEPS[-1])]


async def test_the_loss_is_only_on_what_the_policy_wrote(encoder):
    stored, _ = await search_one_path(encoder, "tagged")
    row = trajectory_row(stored, "0.1.1.1", encoder)
    in_loss = [label for label in row.labels if label != NOT_IN_LOSS]
    assert encoder.decode(in_loss) == "".join(STEPS)
    masked = [i for i, label in zip(row.input_ids, row.labels, strict=True) if label < 0]
    output = f"\n{tags.OUTPUT}7{tags.END_OF_OUTPUT}"
    assert masked == [*encoder.prompt(QUESTION), *encoder.observation("7")]
    assert encoder.decode(masked).endswith(output)


async def test_trees_of_a_few_shot_policy_are_encoded_for_the_trained_policy(base, encoder):
    few_shot = Encoder.load(base, "few_shot")
    by_few_shot, _ = await search_one_path(few_shot, "few_shot")
    by_trained, _ = await search_one_path(encoder, "tagged")
    again = trajectory_row(by_few_shot, "0.1.1.1", encoder)
    assert again == trajectory_row(by_trained, "0.1.1.1", encoder)


async def test_a_tag_inside_a_question_stays_text(encoder):
    stored, _ = await search_one_path(encoder, "tagged")
    row = trajectory_row(stored, "0.1.1.1", encoder)
    end_of_step, _, end_of_answer = encoder.stop_token_ids
    assert row.input_ids.count(end_of_step) == 1
    assert row.input_ids.count(end_of_answer) == 1
    assert QUESTION in encoder.decode(row.input_ids)


async def test_labelled_steps_have_the_ids_that_search_scores(encoder):
    stored, prompts = await search_one_path(encoder, "tagged")
    wrong = {
        **stored.nodes,
        "0.1.1.2": _wrong(stored.nodes["0.1.1.1"], "0.1.1.2"),
    }
    tree = labelled_tree(StoredTree(stored.search, QUESTION, wrong, "tagged"), encoder, PairRules())
    assert {(p.chosen, p.rejected) for p in tree.pairs} == {("0.1.1.1", "0.1.1.2")}
    path = [*tree.prompt, *tree.steps["0.1"], *tree.steps["0.1.1"]]
    assert path == prompts[2]


def _wrong(node, path):
    return structs.replace(node, path=path, correct=False, value_sum=-1.0)


def test_a_demonstration_is_split_where_search_would_split_it(encoder):
    problem = word_problems(1, (2,), 5, "demonstration")[0]
    row = demonstration_row(problem.question, problem.solution, encoder)
    prompt = len(encoder.prompt(problem.question))
    assert encoder.decode(row.input_ids[prompt:]) == problem.solution
    in_loss = encoder.decode([label for label in row.labels if label != NOT_IN_LOSS])
    assert tags.OUTPUT not in in_loss
    assert in_loss.endswith(tags.END_OF_ANSWER)


@pytest.mark.parametrize("question", [QUESTION, "Σ ☃ é", ""])
def test_training_prompt_equals_search_prompt(encoder, question):
    row = demonstration_row(question, STEPS[0], encoder)
    assert row.input_ids == [*encoder.prompt(question), *encoder.step(STEPS[0])]


def test_rows_that_are_too_long_are_left_out(encoder):
    rows = [demonstration_row("?", "# a\n" * n + "<end_of_step>", encoder) for n in (1, 50)]
    assert within(rows, len(rows[0].input_ids)) == rows[:1]
