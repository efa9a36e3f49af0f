import json

from rstar_async.trainer.packing import LabelledTree, pack
from rstar_async.trainer.pair_accuracy import ScoredPair, score_pairs
from rstar_async.trainer.scorer import load_ppm
from rstar_async.trainer.worst_pairs import MOST, worst_pairs
from tests.trainer.test_packing import SMALL, STEPS, tree


def pair(number: int, chosen: float, rejected: float) -> ScoredPair:
    return ScoredPair("p", "s", f"0.{number}", "0.99", chosen, rejected)


def test_pairs_in_the_wrong_order_come_first_and_right_ones_not_at_all():
    found = worst_pairs([pair(1, 0.2, 0.3), pair(2, 0.5, 0.1), pair(3, 0.0, 2.0), pair(4, 0, 0)])
    assert [each["chosen"] for each in found] == ["0.3", "0.1", "0.4"]
    assert found[0] == {
        "search": "s",
        "chosen": "0.3",
        "rejected": "0.99",
        "chosen_score": 0.0,
        "rejected_score": 2.0,
    }


def test_there_are_at_most_a_hundred():
    assert len(worst_pairs([pair(number, 0.0, number) for number in range(250)])) == MOST


def test_every_scored_pair_names_its_nodes(base):
    """Also where a tree is packed in parts and trees of different lengths share a batch."""
    other = tree(("0.2.1", "0.1.1", 1.0), ("0.1", "0.10", 1.0), prompt=[9] * 30, steps=STEPS)
    other = LabelledTree("q", "t", other.prompt, other.steps, other.pairs)
    packed = [part for one in (SMALL, other) for part in pack(one, 100, 40)[0]]
    model = load_ppm(base).eval()
    scored = {
        (one.search_id, one.chosen_path, one.rejected_path)
        for one in score_pairs(model, packed, 100)
    }
    assert scored == {
        *(("search", p.chosen, p.rejected) for p in SMALL.pairs),
        *(("t", p.chosen, p.rejected) for p in other.pairs),
    }


def test_they_can_be_stored_as_json():
    json.dumps(worst_pairs([pair(1, 0.2, 0.3)]), allow_nan=False)
