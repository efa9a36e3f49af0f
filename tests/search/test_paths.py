from rstar_async.search.paths import depth_first, parent_of, path_from_root, with_ancestors


def test_a_path_is_read_from_below_the_root():
    assert path_from_root("0.2.10") == ["0.2", "0.2.10"]
    assert path_from_root("0") == []


def test_parents_and_ancestors():
    assert parent_of("0.2.1") == "0.2"
    assert parent_of("0") == ""
    assert with_ancestors(["0.1.2.3", "0.2"]) == {"0.1", "0.1.2", "0.1.2.3", "0.2"}


def test_parents_come_before_children_and_numbers_count_as_numbers():
    assert depth_first({"0.10", "0.2", "0.2.1"}) == ["0.2", "0.2.1", "0.10"]
