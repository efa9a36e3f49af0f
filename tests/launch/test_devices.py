from rstar_async.launch.devices import devices_of


def shares(count: int, gpus: int) -> list[str]:
    visible = [str(n) for n in range(gpus)]
    return [" ".join(devices_of(number, count, visible)) for number in range(1, count + 1)]


def test_gpus_are_shared_out_in_neighbouring_equal_parts() -> None:
    assert shares(2, 8) == ["0 1 2 3", "4 5 6 7"]
    assert shares(4, 4) == ["0", "1", "2", "3"]


def test_what_is_over_goes_to_the_first_workers() -> None:
    assert shares(3, 5) == ["0 1", "2 3", "4"]


def test_more_workers_than_gpus_take_turns() -> None:
    assert shares(5, 2) == ["0", "1", "0", "1", "0"]


def test_without_gpus_there_is_nothing_to_share() -> None:
    assert shares(2, 0) == ["", ""]
