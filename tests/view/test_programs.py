"""Programming problems in a real Chromium: each test with its verdict, sources in few words."""

import pytest
import trio

from storage import queries
from storage.database import open_database
from tests.domains.programming.stored_run import make_searched_run
from tests.view.conftest import Visit, serving

RUN = "scripted"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("programs") / "run"
    trio.run(make_searched_run, home)
    return home


@pytest.fixture(scope="module")
def address(home):
    with serving(home, str(home / "rstar.db")) as address:
        yield address


@pytest.fixture(scope="module")
def answers(home):
    """A place of an answer by its verdict, True, False or None, and by the problem's function."""
    found = {}
    with open_database(str(home / "rstar.db")) as database:
        problems = {p.id: p for p in database.read(queries.problems_of, RUN)}
        for search in database.read(queries.searches_of, RUN, 2, "train"):
            name = "add" if '"add"' in problems[search.problem_id].answer else "lacking"
            for node in database.read(queries.nodes_of, search.id):
                if node.status in ("answer", "root"):
                    found[name, node.correct, node.status] = f"{search.id}/{node.path}"
    return found


def panel_at(visit: Visit, place: str) -> tuple[str, list[str]]:
    """The heading of the tests in a node's panel, and the verdicts."""
    page = visit.open(f"/{RUN}/search/{place}")
    page.wait_for_selector(".detail-body[data-path] ol.tests")
    heading = page.locator("h4", has_text="tests of").text_content()
    return heading, page.locator("ol.tests .chip").all_text_contents()


def test_each_test_of_a_right_program_has_its_verdict(visit, answers):
    heading, verdicts = panel_at(visit, answers["add", True, "answer"])
    assert heading == "3 of 3 hidden tests of add pass"
    assert verdicts == ["right"] * 3


def test_a_wrong_program_shows_which_test_it_fails_and_why(visit, answers):
    heading, verdicts = panel_at(visit, answers["add", False, "answer"])
    assert heading == "2 of 3 hidden tests of add pass"
    assert verdicts == ["right", "wrong", "right"]
    failed = visit.page.locator("ol.tests li", has_text="wrong").text_content()
    assert "assert add(1, 2, 3) == 6" in failed
    assert "it returned 3" in failed


def test_a_test_that_cannot_run_is_undecided_and_says_that_it_tells_nothing(visit, answers):
    heading, verdicts = panel_at(visit, answers["lacking", None, "answer"])
    assert heading == "3 of 4 hidden tests of lacking pass, 1 undecided"
    assert verdicts == ["right", "right", "right", "undecided"]
    chip = visit.page.locator("ol.tests .chip", has_text="undecided")
    assert "the test itself cannot run here" in chip.get_attribute("title")


def test_the_question_has_its_hidden_tests_and_says_that_no_model_sees_them(visit, answers):
    heading, verdicts = panel_at(visit, answers["add", None, "root"])
    assert heading == "3 hidden tests of add"
    assert verdicts == []
    panel = visit.page.locator(".detail-body").text_content()
    assert "no model and no search at test time is shown them" in panel
    question = visit.page.locator(".detail-body .question").text_content()
    assert "assert" not in question


def test_nothing_in_the_panel_is_squeezed_to_make_room(visit, answers):
    visit.page.set_viewport_size({"width": 1280, "height": 600})
    panel_at(visit, answers["lacking", None, "answer"])
    code = visit.page.locator(".detail-body > pre.code").first
    assert code.evaluate("it => it.scrollHeight - it.clientHeight") <= 1


@pytest.mark.parametrize("width", [1280, 360])
def test_a_program_stands_for_its_source_where_there_is_little_room(visit, width):
    visit.page.set_viewport_size({"width": width, "height": 800})
    page = visit.open(f"/{RUN}/solutions?round=2")
    assert "a program of" in page.locator(".solution header").first.text_content()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
