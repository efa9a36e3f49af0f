import pytest

from rstar_async.config import EvaluationConfig
from rstar_async.evaluation.beam import BeamSearch
from rstar_async.evaluation.recorded_tree import RecordedTree
from rstar_async.search.tree import NodeStatus
from tests.search.scripted import ENCODER, Script, expander

WORDS = ("good", "fair", "poor")
VALUES = {"good": 4.0, "fair": 2.0, "poor": 1.0, "boxed": 5.0}


def step(word: str, depth: int) -> str:
    return f"<code>\n# {word} {depth}\nx = 3\n<end_of_step>"


def scores(request):
    texts = [ENCODER.decode(list(tokens)) for tokens in request.steps]
    return [next(v for word, v in VALUES.items() if word in text) for text in texts]


async def grow(script: Script, width: int, **options) -> RecordedTree:
    tree = RecordedTree()
    settings = EvaluationConfig(beam_width=width, beam_candidates=3)
    await BeamSearch().grow(expander(script, ppm="ppm", **options), tree, settings)
    return tree


async def test_only_the_best_beams_go_on_and_each_below_its_own_parent():
    depth = {"of": 0}

    def texts(request):
        assert request.n == 3
        depth["of"] += 1
        return [step(word, depth["of"]) for word in WORDS]

    grown = await grow(Script(texts, scores=scores), 2, max_depth=3, answer_value="ppm")
    expanded = {node.path for node in grown.tree.nodes.values() if node.children}
    assert {"0", "0.1", "0.2"} <= expanded
    assert "0.3" not in expanded
    second = [n for n in grown.tree.nodes.values() if n.depth == 2]
    assert {n.parent.path for n in second} == {"0.1", "0.2"}
    for parent in ("0.1", "0.2"):
        own = {n.candidate.text for n in second if n.parent.path == parent}
        other = {n.candidate.text for n in second if n.parent.path != parent}
        assert not own & other
    # Two beams, the "good" child of each, then the depth ends it.
    assert {n.path for n in grown.tree.nodes.values() if n.depth == 2 and n.children} == {
        "0.1.1",
        "0.2.1",
    }


async def test_an_answer_narrows_the_beam_and_a_failed_step_never_enters_it():
    asked = []

    def texts(request):
        prompt = ENCODER.decode(request.prompt)
        asked.append(prompt)
        if "<output>" in prompt:
            return ["\n<answer>\\boxed{3}<end_of_answer>"] * 3
        if "good" in prompt or "fair" in prompt:
            return ["\n# good end\nprint(x)\n<end_of_code>"] * 3
        return [step("good", 1), step("fair", 1), "<code>\n# poor, and no end"]

    grown = await grow(Script(texts, scores=scores), 2, answer_value="ppm")
    statuses = [node.status for node in grown.tree.nodes.values()]
    assert statuses.count(NodeStatus.ANSWER) == 2
    assert statuses.count(NodeStatus.UNFINISHED) == 1
    # Root, two beams, two programs that ended: then both beams are answers and nothing is left.
    assert len(asked) == 5


async def test_no_beam_left_ends_the_search():
    grown = await grow(Script(lambda _: ["no end"] * 3, scores=scores), 2)
    assert [n.status for n in grown.tree.root.children] == [NodeStatus.UNFINISHED]


@pytest.mark.parametrize(
    ("path_rule", "kept"), [("last", {"good 2", "fair 2"}), ("min", {"fair 2", "fair 3"})]
)
async def test_beams_compete_by_the_value_of_their_whole_path(path_rule, kept):
    """A good step after a poor one counts less where a path is worth its worst step."""

    def texts(request):
        last = ENCODER.decode(request.prompt).rpartition("# ")[2].partition("\n")[0]
        nexts = {"fair 1": [step("fair", 2), step("fair", 3)], "poor 1": [step("good", 2)]}
        first = [] if last.endswith(("2", "3")) else [step("fair", 1), step("poor", 1)]
        return nexts.get(last, first or ["no end"])

    script = Script(texts, scores=scores)
    grown = await grow(script, 2, answer_value="ppm", path_rule=path_rule)
    expanded = {
        node.candidate.text
        for node in grown.tree.nodes.values()
        if node.depth == 2 and node.children
    }
    assert expanded == {step(*words.split()) for words in kept}
