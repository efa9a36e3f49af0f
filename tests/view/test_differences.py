import pytest

from rstar_async.view.differences import Difference, difference

GOLD = "\n# 2) He finds 4 coins.\ncoins = coins + 4\n<end_of_step>"


@pytest.mark.parametrize(
    ("rejected", "expected"),
    [
        (GOLD.replace("+ 4", "- 4"), Difference("operation", "+", "-")),
        (GOLD.replace("+ 4", "+ 5"), Difference("number", "4", "5")),
        (GOLD.replace("finds 4", "finds 5"), Difference("number", "4", "5")),
        (GOLD.replace("finds", "loses"), Difference("wording", "finds", "loses")),
        (GOLD.replace("coins + 4", "pens + 4"), Difference("name", "coins", "pens")),
        (GOLD.replace("\n<", "\nprint(coins)\n<"), Difference("length", "", "print")),
        (GOLD.replace("+ 4", "+ 4 * 2"), Difference("length", "", "*")),
        (GOLD.replace("coins = coins", "# So\ncoins = coins"), Difference("length", "coins", "#")),
        (GOLD.replace("coins + 4", "(coins + 4)"), Difference("operation", "coins", "(")),
        (GOLD.replace("end_of_step", "end_of_code"), Difference("length", "", "")),
    ],
)
def test_the_first_token_that_differs_says_of_which_kind_the_difference_is(rejected, expected):
    assert difference(GOLD, rejected) == expected


def test_empty_texts_do_not_differ():
    assert difference("", "") == Difference("length", "", "")
