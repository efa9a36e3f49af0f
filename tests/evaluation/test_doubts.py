from rstar_async.evaluation.doubts import doubts


def test_an_answer_on_which_all_trees_agree_is_not_doubted():
    assert doubts("24", {"24": 4}, 4, {"live": 10, "answer": 4, "code_error": 3}) == []


def test_trees_that_disagree_are_counted():
    (said,) = doubts("24", {"12": 2, "24": 1, "7": 1}, 4, {})
    assert said == "the trees disagree: 1 of 4 say 24, 2 12, 1 7"


def test_trees_without_an_answer_are_counted():
    assert doubts("24", {"24": 3}, 4, {}) == ["1 of 4 trees came to no answer"]


def test_steps_that_mostly_lead_nowhere_are_a_reason():
    (said,) = doubts("", {}, 4, {"unfinished": 10, "code_error": 9, "live": 1})
    assert said.startswith("19 of 20 steps failed as code or had no end")
