from rstar_async.evaluation.selection import Proposal
from rstar_async.evaluation.solve import Vote, votes


def test_equal_answers_are_one_vote_under_the_text_of_the_best():
    half, best = Proposal("0.5", None, 0.2, group="half"), Proposal("1/2", None, 0.7, group="half")
    third = Proposal("1/3", None, -0.3)
    found = [third, half, best]
    assert votes(found, best) == [Vote("1/2", 2, 0.7), Vote("1/3", 1, -0.3)]
    assert votes(found, third) == [Vote("0.5", 2, 0.7), Vote("1/3", 1, -0.3)]
    assert votes([], None) == []
