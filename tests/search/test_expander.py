import math
from dataclasses import replace

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from rstar_async.domains.base import Verification
from rstar_async.errors import JobFailed
from rstar_async.search.tree import NodeStatus, Selection, Tree
from rstar_async.text.encoding import Encoder
from rstar_async.text.steps import StepKind, program_of
from rstar_async.wire.payloads import Execute, Executed, Generate, Score
from tests.search.scripted import ENCODER, FEW_SHOT, EqualText, Script, expander, failing

STEP = "<code>\n# a\nx = 3\n<end_of_step>"
OTHER = "<code>\n# b\nx = 4\n<end_of_step>"
LAST = "\n# Now print the final answer\nprint(x)\n<end_of_code>"
ANSWER = "\n<answer>\\boxed{3}<end_of_answer>"


async def grow(tree: Tree, script: Script, samples: int = 3, **changes):
    node = tree.select()
    expansion = await expander(script, **changes).expand(node, samples)
    return tree.expand(node, [step.candidate() for step in expansion.steps]), expansion


async def test_equal_texts_become_one_step_with_a_count():
    script = Script(lambda _: [STEP, OTHER, STEP])
    _, expansion = await grow(Tree(Selection()), script)
    assert [(s.sample.text, s.multiplicity) for s in expansion.steps] == [(STEP, 2), (OTHER, 1)]
    assert len([p for p in script.asked if isinstance(p, Execute)]) == 2


async def test_a_failing_step_is_a_code_error_whatever_it_printed():
    outcomes = {"# a\nx = 3": Executed("ok", stdout="standard error: 0.5"), "# b\nx = 4": None}
    script = Script(
        lambda _: [STEP, OTHER],
        lambda job: outcomes[job.steps[-1]] or Executed("exception", error_type="NameError"),
    )
    children, _ = await grow(Tree(Selection()), script)
    assert [c.status for c in children] == [NodeStatus.LIVE, NodeStatus.CODE_ERROR]


async def test_a_program_that_killed_its_executors_is_a_failed_step():
    script = Script(lambda _: [STEP], failing("dead"))
    children, expansion = await grow(Tree(Selection()), script)
    assert children[0].status is NodeStatus.CODE_ERROR
    assert expansion.steps[0].failure == "dead"


@pytest.mark.parametrize("kind", ["error", "expired", "cancelled"])
async def test_a_step_that_the_executors_could_not_run_is_not_a_failed_step(kind):
    tree = Tree(Selection())
    with pytest.raises(JobFailed, match=kind):
        await grow(tree, Script(lambda _: [STEP, OTHER], failing(kind)))
    assert not tree.root.children


async def test_each_prompt_is_the_ids_of_everything_before_it():
    tree = Tree(Selection())
    script = Script(lambda _: [STEP])
    await grow(tree, script)
    script.texts = lambda _: [LAST]
    script.outcome = lambda job: Executed("ok", stdout="3\n" if len(job.steps) == 2 else "")
    await grow(tree, script)
    script.texts = lambda _: [ANSWER]
    (answer,), _ = await grow(tree, script)
    prompt = ENCODER.prompt("How many?")
    asked = [p.prompt for p in script.asked if isinstance(p, Generate)]
    assert asked[0] == prompt
    assert asked[1] == prompt + ENCODER.step(STEP)
    assert asked[2] == asked[1] + ENCODER.step(LAST) + ENCODER.observation("3")
    assert answer.candidate.is_correct
    assert tree.root.value_sum == 1.0


async def test_a_policy_that_is_new_to_the_format_gets_the_opening_of_a_solution():
    tree = Tree(Selection())
    script = Script(lambda _: [STEP.removeprefix(FEW_SHOT.opening)])
    (child,), _ = await grow(tree, script, encoder=FEW_SHOT)
    assert (child.candidate.text, child.status) == (STEP, NodeStatus.LIVE)
    script.texts = lambda _: [LAST]
    await grow(tree, script, encoder=FEW_SHOT)
    prompt, opening = FEW_SHOT.prompt("How many?"), FEW_SHOT.step(FEW_SHOT.opening)
    written = ENCODER.step(STEP.removeprefix(FEW_SHOT.opening))
    asked = [p.prompt for p in script.asked if isinstance(p, Generate)]
    assert asked == [prompt + opening, prompt + opening + written]
    script.texts, script.empty = lambda _: [], 1
    (full,), _ = await grow(Tree(Selection()), script, encoder=FEW_SHOT)
    assert full.status is NodeStatus.TOO_LONG


def merging_encoder() -> Encoder:
    """Few-shot, with one token for `>` and a line's end, as Qwen2.5 has."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: number for number, token in enumerate([*alphabet, ">\u010a"])}
    tokenizer = Tokenizer(models.BPE(vocabulary, [(">", "\u010a")]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    return Encoder(tokenizer, "few_shot")


async def test_a_stop_that_ends_inside_a_token_ends_the_step_and_the_rest_begins_the_next():
    encoder, tree = merging_encoder(), Tree(Selection())
    first, last = STEP.removeprefix(encoder.opening), LAST.removeprefix("\n")
    script = Script(lambda _: [first, first + "\n"], encoder=encoder)
    (child,), expansion = await grow(tree, script, encoder=encoder)
    assert (child.candidate.text, expansion.steps[0].multiplicity) == (STEP, 2)

    script.texts = lambda _: [first + "\n"]
    tree = Tree(Selection())
    await grow(tree, script, encoder=encoder)
    script.texts = lambda _: [last + "\n"]
    script.outcome = lambda _: Executed("ok", stdout="3\n")
    (end,), _ = await grow(tree, script, encoder=encoder)
    assert (end.candidate.text, end.candidate.step.kind) == (LAST, StepKind.END_OF_CODE)
    script.texts = lambda _: [ANSWER + "\n"]
    (answer,), _ = await grow(tree, script, encoder=encoder)
    assert (answer.candidate.text, answer.candidate.is_correct) == (ANSWER, True)
    asked = [p.prompt for p in script.asked if isinstance(p, Generate)]
    whole = f"{encoder.decode(encoder.prompt('How many?'))}{STEP}{LAST}\n<output>3<end_of_output>"
    assert asked[-1] == encoder.step(whole)


async def test_the_observation_is_everything_the_program_printed():
    tree = Tree(Selection())
    script = Script(lambda _: [STEP], lambda _: Executed("ok", stdout="early\n"))
    await grow(tree, script)
    script.texts = lambda _: [LAST]
    script.outcome = lambda _: Executed("ok", stdout="late\n")
    _, expansion = await grow(tree, script)
    assert expansion.steps[0].output == "early\nlate\n"


async def test_a_program_that_prints_nothing_is_observed_by_its_last_value():
    tree = Tree(Selection())
    script = Script(lambda _: [LAST.replace("print(x)", "7")], lambda _: Executed("ok", value="7"))
    _, expansion = await grow(tree, script)
    assert expansion.steps[0].observation_tokens == tuple(ENCODER.observation("7"))


async def test_a_step_beyond_the_depth_limit_is_not_run():
    script = Script(lambda _: [STEP])
    children, _ = await grow(Tree(Selection()), script, max_depth=0)
    assert children[0].status is NodeStatus.TOO_DEEP
    assert not [p for p in script.asked if isinstance(p, Execute)]


async def test_where_the_policy_has_no_room_the_branch_ends_there():
    tree = Tree(Selection())
    script = Script(lambda _: [STEP])
    await grow(tree, script)
    script.texts = lambda _: []
    script.empty = 3
    (child,), expansion = await grow(tree, script)
    assert child.status is NodeStatus.TOO_LONG
    assert expansion.steps[0].multiplicity == 3
    assert tree.is_exhausted
    assert tree.root.visits == 0


async def test_a_step_that_the_ppm_cannot_read_goes_no_further():
    script = Script(lambda _: [STEP, OTHER], scores=lambda _: [math.nan, 2.5])
    children, _ = await grow(Tree(Selection()), script, ppm="ppm")
    assert [c.status for c in children] == [NodeStatus.TOO_LONG, NodeStatus.LIVE]
    assert children[0].candidate.prior is None


async def test_an_answer_that_the_ppm_cannot_read_is_an_answer_without_its_value():
    tree = Tree(Selection())
    await grow(tree, Script(lambda _: [LAST], lambda _: Executed("ok", stdout="3")))
    script = Script(lambda _: [ANSWER], scores=lambda _: [math.nan])
    (answer,), _ = await grow(tree, script, ppm="ppm", answer_value="ppm")
    assert answer.status is NodeStatus.ANSWER
    assert answer.candidate.is_correct
    assert (answer.candidate.prior, answer.visits, tree.root.visits) == (None, 0, 0)


async def test_the_ppm_scores_what_runs_and_not_what_fails():
    script = Script(
        lambda _: [STEP, OTHER],
        lambda job: Executed("ok" if "x = 3" in job.steps[-1] else "exception"),
        lambda _: [2.5],
    )
    children, _ = await grow(Tree(Selection()), script, ppm="ppm")
    assert children[0].candidate.prior == pytest.approx(math.tanh(2.5 / 5))
    assert children[1].candidate.prior is None
    (score,) = [p for p in script.asked if isinstance(p, Score)]
    assert score.prefix == ENCODER.prompt("How many?")
    assert score.steps == [ENCODER.step(STEP)]


async def test_at_test_time_an_answer_is_worth_what_the_ppm_says():
    tree = Tree(Selection())
    await grow(tree, Script(lambda _: [LAST], lambda _: Executed("ok", stdout="9")))
    script = Script(lambda _: ["\n<answer>\\boxed{9}<end_of_answer>"], scores=lambda _: [5.0])
    (answer,), _ = await grow(tree, script, ppm="ppm", answer_value="ppm")
    assert answer.candidate.is_correct is False
    assert answer.q == pytest.approx(math.tanh(1.0))


async def test_an_answer_is_worth_what_its_whole_path_is_worth():
    tree = Tree(Selection())
    script = Script(lambda _: [LAST], lambda _: Executed("ok", stdout="9"), lambda _: [5.0])
    await grow(tree, script, ppm="ppm", path_rule="mean")
    script.texts = lambda _: ["\n<answer>\\boxed{9}<end_of_answer>"]
    script.scores = lambda _: [-5.0]
    (answer,), expansion = await grow(tree, script, ppm="ppm", path_rule="mean")
    assert tree.nodes["0.1"].candidate.prior == pytest.approx(math.tanh(1.0))
    assert answer.candidate.prior == pytest.approx(0.0)
    assert [result.score for result in expansion.steps] == [-5.0]


async def test_reachable_tokens_leave_out_the_last_sampled_one():
    tree = Tree(Selection())
    script = Script(lambda _: [STEP])
    await grow(tree, script)
    _, expansion = await grow(tree, script)
    assert expansion.reachable_tokens == len(ENCODER.prompt("How many?") + ENCODER.step(STEP)) - 1


class Programs(EqualText):
    """A whole program is the answer: what ends the code ends the path, and is tested."""

    rewards_steps = True

    def parse_step(self, text, *, after_output):
        step = super().parse_step(text, after_output=after_output)
        is_last = step.kind is StepKind.END_OF_CODE
        return replace(step, kind=StepKind.ANSWER) if is_last else step

    async def verify(self, problem, path, executor):
        tests = await executor.run([*program_of(p.step for p in path), "assert x == 3"])
        answer = "\n".join(step.text for step in path)
        return Verification(answer, "right" if tests.status == "ok" else "wrong")

    async def reward(self, problem, path, executor):
        return 1 / len(path)


async def solve_by_program(outcome) -> tuple[Tree, Script]:
    tree, script = Tree(Selection()), Script(lambda _: [STEP], outcome)
    await grow(tree, script, domain=Programs())
    script.texts = lambda _: [LAST]
    await grow(tree, script, domain=Programs())
    return tree, script


@pytest.mark.parametrize(("status", "is_correct"), [("ok", True), ("exception", False)])
async def test_a_domain_may_verify_a_program_by_tests_in_the_sandbox(status, is_correct):
    def outcome(job: Execute) -> Executed:
        return Executed(status if "assert" in job.steps[-1] else "ok")

    tree, script = await solve_by_program(outcome)
    (answer,) = tree.answers()
    assert answer.candidate.is_correct is is_correct
    assert answer.candidate.answer == f"{STEP}\n{LAST}"
    programs = [job.steps for job in script.asked if isinstance(job, Execute)]
    assert programs[-2] == ["# a\nx = 3", "# Now print the final answer\nprint(x)"]
    assert programs[-1] == [*programs[-2], "assert x == 3"]


async def test_a_program_that_does_not_run_is_no_answer():
    tree, _ = await solve_by_program(
        lambda job: Executed("exception" if "print" in job.steps[-1] else "ok")
    )
    assert not list(tree.answers())
    assert tree.nodes["0.1.1"].status is NodeStatus.CODE_ERROR


async def test_a_domain_may_value_steps_in_place_of_a_ppm():
    tree, script = await solve_by_program(lambda _: Executed("ok"))
    assert [tree.nodes[path].candidate.prior for path in ("0.1", "0.1.1")] == [1.0, 0.5]
    assert not [job for job in script.asked if isinstance(job, Score)]
