from rstar_async.launch.backoff import Backoff, RestartHistory

BACKOFF = Backoff(young_seconds=10, deaths=4, first_wait=1, longest_wait=3)


def test_waits_double_up_to_the_longest_until_the_process_is_given_up() -> None:
    history = RestartHistory(BACKOFF)
    assert [history.died(0.1) for _ in range(4)] == [1, 2, 3, None]


def test_a_long_life_resets_the_history() -> None:
    history = RestartHistory(BACKOFF)
    assert [history.died(0.1), history.died(0.1), history.died(10), history.died(0.1)] == [
        1,
        2,
        1,
        2,
    ]


def test_a_process_that_lives_long_each_time_is_never_given_up() -> None:
    history = RestartHistory(BACKOFF)
    assert {history.died(11) for _ in range(100)} == {1}
