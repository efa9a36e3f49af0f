from rstar_async.seeding import digest, search_id


def test_ids_of_valid_text_stay_as_they_are():
    assert digest("search", 1, "é").hex() == "765d551f3ff8f92c"
    assert search_id("run", 1, "train", "p1", 0) == "4f92a04313d2acf4"


def test_half_a_surrogate_pair_has_an_id_of_its_own():
    assert search_id("run", 1, "train", "\ud800", 0) != search_id("run", 1, "train", "\ud801", 0)
