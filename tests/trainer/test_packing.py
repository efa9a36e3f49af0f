import pytest
import torch
from torch.nn.attention.flex_attention import create_mask

from rstar_async.data.preferences import Preference
from rstar_async.search.paths import with_ancestors
from rstar_async.trainer.attention import mask_rule, tree_mask
from rstar_async.trainer.batches import forwards
from rstar_async.trainer.objectives import PPMLoss
from rstar_async.trainer.packing import LabelledTree, Target, pack
from rstar_async.trainer.scorer import load_ppm, scores
from tests.trainer.unpacked import unpacked_loss, unpacked_scores

STEPS = {
    "0.1": [4, 5],
    "0.2": [6],
    "0.10": [3],
    "0.1.1": [7],
    "0.1.2": [8, 9],
    "0.2.1": [11, 12, 13],
}


def tree(*pairs, prompt=(1, 2, 3), steps=STEPS):
    chosen = [Preference(one, other, "step", weight) for one, other, weight in pairs]
    return LabelledTree("problem", "search", list(prompt), steps, chosen)


SMALL = tree(("0.1", "0.2", 1.0), ("0.1.2", "0.1.1", 0.5), ("0.10", "0.2", 0.25))


def test_layout_is_depth_first_with_positions_along_each_path():
    (packed,), kept = pack(SMALL, 100, 100)
    assert packed.input_ids == [1, 2, 3, 4, 5, 7, 8, 9, 6, 3]
    assert packed.position_ids == [0, 1, 2, 3, 4, 5, 5, 6, 3, 3]
    assert packed.ends == [10, 10, 10, 8, 8, 6, 8, 8, 9, 10]
    assert [packed.input_ids[i] for i in packed.scored] == [5, 6, 9, 7, 3]
    assert packed.pairs == [(0, 1, 1.0), (2, 3, 0.5), (4, 1, 0.25)]
    assert kept == list(SMALL.pairs)


def test_a_token_attends_to_its_own_path_only():
    (packed,), _ = pack(SMALL, 100, 100)
    mask = tree_mask(torch.tensor([packed.ends]))[0, 0]
    attended = [packed.input_ids[k] for k in mask[7].nonzero().flatten()]
    assert attended == [1, 2, 3, 4, 5, 8, 9]


@pytest.mark.parametrize("window", [None, 2])
def test_the_rule_for_flex_attention_is_the_same_mask(window):
    ends = torch.tensor([[10, 10, 10, 8, 8, 6, 8, 8, 9, 10, 0, 0]])
    positions = torch.tensor([[0, 1, 2, 3, 4, 5, 5, 6, 3, 3, 0, 0]])
    rule = mask_rule(ends, positions, window)
    mask = create_mask(rule, 1, None, 12, 12, device="cpu")
    assert torch.equal(mask, tree_mask(ends, positions, window))


def test_a_window_counts_along_the_path():
    (packed,), _ = pack(SMALL, 100, 100)
    ends, positions = torch.tensor([packed.ends]), torch.tensor([packed.position_ids])
    mask = tree_mask(ends, positions, 3)[0, 0]
    attended = [packed.input_ids[k] for k in mask[7].nonzero().flatten()]
    assert attended == [5, 8, 9]


def test_a_prompt_that_is_cut_keeps_its_bos():
    steps, pairs = {"0.1": [4, 9], "0.2": [5, 9]}, [Preference("0.1", "0.2", "step", 1.0)]
    tree = LabelledTree("problem", "search", [1, 20, 21, 22, 23], steps, pairs, bos=1)
    for longest, prompt in ((9, [1, 20, 21, 22, 23]), (5, [1, 22, 23]), (4, [1, 23]), (3, [23])):
        (packed,), _ = pack(tree, longest, 100)
        assert packed.input_ids == [*prompt, 4, 9, 5, 9]


def test_targets_are_packed_like_pairs():
    values = [Target("0.1.2", 0.5), Target("0.1", -1.0)]
    only = LabelledTree("problem", "search", [1, 2, 3], STEPS, [], values)
    (packed,), kept = pack(only, 100, 100)
    assert packed.input_ids == [1, 2, 3, 4, 5, 8, 9]
    assert [(packed.input_ids[packed.scored[i]], v) for i, v, _ in packed.targets] == [
        (9, 0.5),
        (5, -1.0),
    ]
    assert kept == values


def test_nodes_that_no_pair_needs_are_left_out():
    (packed,), _ = pack(tree(("0.1", "0.2", 1.0)), 100, 100)
    assert packed.input_ids == [1, 2, 3, 4, 5, 6]
    assert with_ancestors(["0.1.2.3"]) == {"0.1", "0.1.2", "0.1.2.3"}


def test_a_long_path_loses_the_start_of_the_question_but_no_step():
    (packed,), kept = pack(tree(("0.1.2", "0.1.1", 1.0)), 6, 100)
    assert packed.input_ids == [2, 3, 4, 5, 7, 8, 9]
    assert packed.position_ids[:2] == [0, 1]
    assert len(kept) == 1


def test_a_pair_whose_steps_alone_are_too_long_is_left_out():
    packed, kept = pack(tree(("0.1.2", "0.1.1", 1.0), ("0.10", "0.2", 1.0)), 3, 100)
    assert [(p.chosen, p.rejected) for p in kept] == [("0.10", "0.2")]
    assert packed[0].input_ids == [2, 3, 6, 3]


def test_a_tree_with_too_many_tokens_is_packed_in_parts():
    packed, kept = pack(SMALL, 100, 8)
    assert [len(part.input_ids) for part in packed] == [6, 8, 5]
    assert kept == list(SMALL.pairs)


def test_a_pair_that_does_not_fit_into_a_row_is_left_out():
    packed, kept = pack(SMALL, 100, 7)
    assert len(kept) == 2
    assert all(len(part.input_ids) <= 7 for part in packed)


@pytest.mark.parametrize("max_tokens", [30, 1000])
def test_packed_scores_equal_separate_forward_passes(base, max_tokens):
    model = load_ppm(base).eval()
    torch.nn.init.normal_(model.score.weight)
    trees = [SMALL, tree(("0.2.1", "0.1.1", 1.0), prompt=[9, 8, 7, 6, 5]), tree(("0.1", "0.10", 1))]
    packed = [part for one in trees for part in pack(one, 100, 100)[0]]
    for part in forwards(packed, max_tokens):
        with torch.no_grad():
            together = scores(model, part)
        alone = unpacked_scores(model, part)
        assert (together - alone).abs().max() <= 1e-5


def test_packed_gradients_equal_those_of_separate_passes(base):
    model = load_ppm(base).eval()
    torch.nn.init.normal_(model.score.weight)
    packed, _ = pack(SMALL, 100, 100)
    (part,) = forwards([*packed, *packed], 1000)
    PPMLoss("preference").summed(scores(model, part), part).backward()
    together = {name: p.grad.clone() for name, p in model.named_parameters()}
    model.zero_grad()
    unpacked_loss(model, part).backward()
    for name, parameter in model.named_parameters():
        assert torch.allclose(together[name], parameter.grad, atol=1e-5, rtol=1e-4), name
