"""Which held-out pairs a PPM gets most wrong, over a store with a PPM whose manifest names some."""

import pytest

from rstar_async.view.mistakes import mistakes
from rstar_async.view.pages import overview_of
from rstar_async.view.requests import MistakesRequest
from storage.database import Database, open_database
from storage.maintenance.export import export
from storage.maintenance.imports import read_back
from tests.view import generated
from tests.view.generated import RUN


def page(store: Database, number: int = 1, **asked):
    return mistakes(store, MistakesRequest(run=RUN, round=number, **asked))


def test_the_pairs_of_the_manifest_come_with_their_steps(store):
    found = page(store, limit=100)
    assert found.ppm == "ppm-judged"
    assert found.total == len(found.mistakes) == 30
    for each in found.mistakes:
        assert each.view.chosen[-1]["path"] == each.view.pair.chosen_path
        assert each.view.rejected[-1]["path"] == each.view.pair.rejected_path
        assert each.view.question
        assert each.scores[0] < each.scores[1]


def test_they_are_grouped_by_what_differs_the_largest_group_first(store):
    found = page(store, limit=100)
    assert sum(number for _, number in found.kinds) == 30
    numbers = [number for _, number in found.kinds]
    assert numbers == sorted(numbers, reverse=True)
    kinds = [each.kind for each in found.mistakes]
    assert list(dict.fromkeys(kinds)) == [kind for kind, _ in found.kinds]


def test_one_group_is_shown_page_by_page(store):
    (kind, number), *_ = page(store).kinds
    pages = [page(store, kind=kind, offset=offset, limit=5) for offset in range(0, number, 5)]
    paths = [
        (each.view.pair.search_id, each.view.pair.chosen_path, each.view.pair.rejected_path)
        for found in pages
        for each in found.mistakes
    ]
    assert len(paths) == len(set(paths)) == number
    assert {found.total for found in pages} == {number}


@pytest.mark.parametrize("number", [0, 7])
def test_a_round_whose_ppm_names_none_has_no_page(store, number):
    assert page(store, number) is None


def test_entries_that_name_nothing_are_left_out(store):
    found = page(store, 2)
    assert [each.view.pair.search_id for each in found.mistakes] == ["hostile"]


def test_the_overview_has_their_number_only(store):
    models = {model.id: model for model in overview_of(store, RUN).models}
    assert models["ppm-judged"].manifest["worst_pairs"] == 30
    assert "worst_pairs" not in models["ppm-1"].manifest


def test_they_survive_export_and_import(tmp_path):
    with open_database(str(tmp_path / "one.db")) as one:
        generated.fill(one, 1, 4, 40)
        one.commit(generated.judged_ppm(one))
        one.read(export, tmp_path / "exported", "jsonl")
        before = page(one, limit=100)
    with open_database(str(tmp_path / "other.db")) as other:
        read_back(other, tmp_path / "exported")
        assert page(other, limit=100) == before
    assert before.total > 0
