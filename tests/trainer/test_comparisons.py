import pytest
import torch

from rstar_async.data.preferences import Preference
from rstar_async.trainer.batches import _forward, first_fit, forwards
from rstar_async.trainer.comparisons import compared_offsets, path_weights
from rstar_async.trainer.objectives import PPMLoss
from rstar_async.trainer.packing import LabelledTree, pack
from rstar_async.trainer.scorer import load_ppm, scores
from tests.trainer.unpacked import unpacked_scores

SIBLINGS = Preference("0.1", "0.2", "step", 1.0)
SOLUTIONS = Preference("0.1.1", "0.2.1", "trajectory", 1.0)


def tree(*pairs):
    steps = {
        "0.1": [4, 5, 6, 9],
        "0.2": [4, 7, 6, 8, 9],
        "0.1.1": [5, 9],
        "0.1.2": [6, 9],
        "0.2.1": [7, 7, 9],
    }
    return LabelledTree("problem", "search", [1, 2, 3], steps, list(pairs))


def test_siblings_are_compared_from_the_first_token_that_differs():
    offsets = compared_offsets(SIBLINGS, [4, 5, 6, 9], [4, 7, 6, 8, 9], "differing_tokens")
    assert offsets == [(1, 1), (2, 2), (3, 3), (3, 4)]


def test_the_last_tokens_of_steps_of_equal_length_are_compared_once():
    offsets = compared_offsets(SIBLINGS, [4, 5, 9], [4, 7, 9], "differing_tokens")
    assert offsets == [(1, 1), (2, 2)]


def test_the_paper_compares_last_tokens_only():
    assert compared_offsets(SIBLINGS, [4, 5, 9], [4, 7, 8, 9], "last_token") == [(2, 3)]


def test_whole_solutions_are_compared_at_their_last_tokens():
    assert compared_offsets(SOLUTIONS, [5, 9], [7, 7, 9], "differing_tokens") == [(1, 2)]


@pytest.mark.parametrize("score_at", ["differing_tokens", "last_token"])
def test_siblings_with_equal_ids_are_not_a_pair(score_at):
    assert compared_offsets(SIBLINGS, [4, 5, 9], [4, 5, 9], score_at) == []
    equal = LabelledTree("problem", "search", [1], {"0.1": [4, 9], "0.2": [4, 9]}, [SIBLINGS])
    assert pack(equal, 100, 100, score_at) == ([], [])


def test_the_steps_on_the_path_to_a_chosen_one_share_its_weight():
    deep = Preference("0.1.1", "0.1.2", "step", 0.5)
    assert path_weights([SIBLINGS, deep]) == {"0.1": 1.25, "0.1.1": 0.25}


def test_a_step_that_another_pair_rejects_is_not_a_good_step():
    deep = Preference("0.2.1", "0.2.2", "step", 1.0)
    assert path_weights([SIBLINGS, deep]) == {"0.1": 1.0, "0.2.1": 0.5}


def test_the_tokens_of_a_pair_share_its_weight_and_accuracy_uses_the_last_ones():
    (packed,), _ = pack(tree(SIBLINGS), 100, 100, "differing_tokens")
    columns = [
        (packed.input_ids[packed.scored[better]], packed.input_ids[packed.scored[worse]], weight)
        for better, worse, weight in packed.comparisons
    ]
    assert columns == [(5, 7, 0.25), (6, 6, 0.25), (9, 8, 0.25), (9, 9, 0.25)]
    ((chosen, rejected, weight),) = packed.pairs
    assert (packed.scored[chosen], packed.scored[rejected], weight) == (6, 11, 1.0)


@pytest.mark.parametrize("pair_loss", ["pairwise", "bce", "both"])
def test_packed_loss_and_gradients_equal_those_of_one_pair_at_a_time(base, pair_loss):
    model = load_ppm(base).eval()
    torch.nn.init.normal_(model.score.weight)
    pairs = [SIBLINGS, Preference("0.1.1", "0.1.2", "step", 0.5)]
    loss = PPMLoss("preference", pair_loss)
    packed, _ = pack(tree(*pairs), 100, 100, "differing_tokens")
    alone = [part for pair in pairs for part in pack(tree(pair), 100, 100, "differing_tokens")[0]]
    results = []
    for trees, score in ((packed, scores), (alone, scores), (alone, unpacked_scores)):
        model.zero_grad()
        parts = forwards(trees, 1000)
        total = sum(loss.summed(score(model, part), part) for part in parts)
        total.backward()
        results.append((float(total.detach()), model.score.weight.grad.clone()))
    (together, gradient), *others = results
    for total, other in others:
        assert total == pytest.approx(together, rel=1e-5)
        assert torch.allclose(gradient, other, atol=1e-5, rtol=1e-4)


def test_every_compared_token_of_a_packed_tree_scores_as_if_its_pair_were_alone(base):
    model = load_ppm(base).eval()
    torch.nn.init.normal_(model.score.weight)
    pairs = [SIBLINGS, Preference("0.1.1", "0.1.2", "step", 0.5), SOLUTIONS]
    (packed,), _ = pack(tree(*pairs), 100, 100, "differing_tokens")
    (part,) = forwards([packed], 1000)
    with torch.no_grad():
        raw = scores(model, part)
    together = list(zip(raw[part.better], raw[part.worse], part.weights, strict=True))
    alone = []
    for pair in pairs:
        (one,), _ = pack(tree(pair), 100, 100, "differing_tokens")
        (part,) = forwards([one], 1000)
        raw = unpacked_scores(model, part).detach()
        alone += zip(raw[part.better], raw[part.worse], part.weights, strict=True)
    assert len(together) == 4 + 2 + 1
    for one, other in zip(together, alone, strict=True):
        assert torch.allclose(torch.stack(one), torch.stack(other), atol=1e-5)


def test_gradients_of_padded_and_of_shared_rows_equal_those_of_a_pass_for_each_tree(base):
    model = load_ppm(base).eval()
    torch.nn.init.normal_(model.score.weight)
    siblings = [
        {"0.1": [4, 5, 6, 9] * length, "0.2": [4, 7, 6, 9] * length} for length in (1, 1, 2, 3)
    ]
    trees = [LabelledTree("p", "s", [1, 2, 3], steps, [SIBLINGS]) for steps in siblings]
    packed = [part for one in trees for part in pack(one, 99, 99, "differing_tokens")[0]]
    loss = PPMLoss("preference", "both")
    gradients = []
    for passes in ([forwards([one], 99)[0] for one in packed], [in_one_pass(packed)]):
        model.zero_grad()
        sum(loss.summed(scores(model, part), part) for part in passes).backward()
        gradients.append({name: p.grad.clone() for name, p in model.named_parameters()})
    separate, together = gradients
    for name, gradient in separate.items():
        assert torch.allclose(gradient, together[name], atol=1e-5, rtol=1e-4), name


def in_one_pass(packed):
    """A row with padding for the longest, and one that the shorter trees share."""
    longest = max(len(one.input_ids) for one in packed)
    rows = first_fit([len(one.input_ids) for one in packed], longest)
    assert len(rows) < len(packed)
    part = _forward(packed, rows)
    assert (part.ends == 0).any()
    return part


def test_padding_changes_neither_the_loss_nor_the_weight(base):
    model = load_ppm(base).eval()
    torch.nn.init.normal_(model.score.weight)
    short = LabelledTree("other", "search", [1], {"0.1": [4, 9], "0.2": [5, 9]}, [SIBLINGS])
    trees = [part for one in (tree(SIBLINGS), short) for part in pack(one, 99, 99)[0]]
    loss = PPMLoss("preference", "both")
    with torch.no_grad():
        split = [forwards([one], 99)[0] for one in trees]
        joined = forwards(trees, 1000)
        sums = [
            float(sum(loss.summed(scores(model, part), part) for part in parts))
            for parts in (split, joined)
        ]
    assert sums[0] == pytest.approx(sums[1], rel=1e-5)
    assert float(loss.weight(joined)) == pytest.approx(2.0)
