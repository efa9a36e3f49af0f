"""Refuses unusable training data before the training, naming the row and what is wrong in it."""

from collections.abc import Sequence

from rstar_async.trainer.dataset import NOT_IN_LOSS, SFTRow
from rstar_async.trainer.errors import Refused
from rstar_async.trainer.packing import PackedTree


def check_rows(rows: Sequence[SFTRow], vocabulary: int) -> None:
    """`Refused` unless there are rows, all with known ids, and at least one token in the loss."""
    if not rows:
        raise Refused("there are no rows to train the policy on")
    for number, row in enumerate(rows, start=1):
        where = f"row {number} of {len(rows)}"
        _check_ids(row.input_ids, vocabulary, where)
        if len(row.labels) != len(row.input_ids):
            raise Refused(f"{where} has {len(row.input_ids)} ids, but {len(row.labels)} labels")
        _check_ids([label for label in row.labels if label != NOT_IN_LOSS], vocabulary, where)
    if not any(row.loss_tokens for row in rows):
        raise Refused(f"none of {len(rows)} rows has a token that the policy wrote")


def check_trees(trees: Sequence[PackedTree], vocabulary: int, heldout: bool = False) -> None:
    """`Refused` unless there are trees, all with known ids and labels, that differ in value."""
    if not trees and not heldout:
        raise Refused("there are no trees to train the PPM on")
    for number, tree in enumerate(trees, start=1):
        where = f"tree {number} of {len(trees)}"
        _check_ids(tree.input_ids, vocabulary, where)
        if not tree.pairs and not tree.targets:
            raise Refused(f"{where} has neither pairs nor targets")
    values = {value for tree in trees for _, value, _ in tree.targets}
    if not heldout and len(values) == 1 and not any(tree.pairs for tree in trees):
        raise Refused(f"every target has the value {values.pop():g}, so there is nothing to learn")


def _check_ids(ids: Sequence[int], vocabulary: int, where: str) -> None:
    wrong = next((token for token in ids if not 0 <= token < vocabulary), None)
    if wrong is not None:
        raise Refused(f"{where} has the id {wrong}, but the model knows 0 to {vocabulary - 1}")
