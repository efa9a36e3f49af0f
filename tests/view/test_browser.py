"""The page in a real Chromium: what a person would do with it."""

import json
import time

import pytest

from storage.records import Node, NodeStatistics, Search, SearchProgress
from tests.view.generated import RUN, Growth
from tests.view.hostile import ID, IMAGE, LINK, SCRIPT

PHONE = pytest.mark.parametrize("visit", [(390, 844)], indirect=True, ids=["phone"])


def test_the_first_page_shows_the_rounds_of_the_only_run(visit):
    page = visit.open("")
    assert page.locator("h1").text_content() == RUN
    assert page.locator(".chart svg circle.dot").count() >= 6
    assert (
        page.locator("tbody tr", has_text="round 2").locator(".chip").text_content() == "searching"
    )
    page.get_by_role("link", name="round 1", exact=True).click()
    page.wait_for_selector(".problem-table")
    assert "round=1" in page.url


def test_problems_are_filtered_sorted_and_the_address_keeps_it(visit):
    page = visit.open(f"/{RUN}/problems?kind=ages&order=tokens")
    rows = page.locator(".problem-table tbody tr")
    assert rows.count() == 3
    assert set(rows.locator(".chip").all_text_contents()) == {"ages"}
    page.get_by_role("group", name="state").get_by_text("unsolved", exact=True).click()
    page.wait_for_selector(".switcher button[aria-pressed=true]:text-is('unsolved')")
    assert "state=unsolved" in page.url
    page.get_by_label("words of the question").fill("boxes of 3 pens")
    visit.keys("Enter")
    page.wait_for_url("**text=boxes**")


def test_a_tree_is_walked_by_keys(visit):
    page = visit.open(f"/{RUN}/search/r1-000003")
    path = page.locator(".detail-body")
    page.wait_for_selector(".detail-body[data-path='0']")
    page.get_by_label("unfold all").click()
    visit.keys("ArrowRight")
    page.wait_for_selector(".detail-body[data-path='0.1']")
    assert path.locator("pre.code .hl-comment").count() > 0
    visit.keys("]")
    page.wait_for_selector(".detail-body[data-path='0.2']")
    visit.keys("t", "t")
    page.wait_for_selector(".siblings [aria-current=true]")
    assert page.url.endswith("/0.2?tab=siblings")
    visit.keys("m")
    page.wait_for_selector(".line.selected[data-path='0.2']")
    lines = page.locator(".line").count()
    visit.keys("ArrowLeft", "ArrowLeft", " ")
    page.wait_for_selector(".line.selected[data-path='0'][aria-expanded=false]")
    assert page.locator(".line").count() == 1 < lines


def test_the_worst_pairs_of_a_ppm_are_grouped_and_lead_to_their_trees(visit):
    page = visit.open(f"/{RUN}/pairs?round=1")
    page.get_by_role("link", name="What it gets most wrong").click()
    page.wait_for_selector("h1:text-is('What the PPM gets most wrong')")
    assert "ppm-judged" in page.locator(".title").text_content()
    assert "of 40 pairs" in page.locator(".title").text_content().lower()
    assert page.locator(".card.pair").count() == 20
    kinds = page.get_by_role("group", name="what differs").locator("button")
    assert kinds.first.text_content() == "all 30"
    assert sum(int(word.split()[-1]) for word in kinds.all_text_contents()[1:]) == 30
    chosen = kinds.nth(1).text_content()
    kinds.nth(1).click()
    page.wait_for_selector(f".switcher button[aria-pressed=true]:text-is('{chosen}')")
    shown = page.locator(".card.pair")
    assert shown.count() == min(20, int(chosen.split()[-1]))
    assert set(shown.locator(".chip").all_text_contents()) == {chosen.rpartition(" ")[0]}
    page.locator(".card.pair .more").first.click()
    page.wait_for_selector(".siblings [aria-current=true]")


def test_steps_are_found_by_their_words(visit):
    page = visit.open(f"/{RUN}/search/r1-000003?draw=lines")
    page.get_by_label("find in steps").fill("common divisor")
    visit.keys("Enter")
    page.wait_for_selector(".line.match.selected")
    assert "found" in page.locator(".matched").text_content()


def test_a_running_search_grows_on_screen(visit, store):
    growth = Growth("growing", 1, 0.5, guided=True)
    search = Search("growing", RUN, 2, "p000001", "train", 1, "policy-1", None, "running")
    store.commit(search, *growth.records())
    page = visit.open(f"/{RUN}/search/growing?draw=lines")
    page.wait_for_selector(".view[data-loaded='1']")
    for number in range(1, 9):
        made = growth.expand()
        progress = SearchProgress("growing", "running", number, number, made[0])
        store.commit(growth.expansions[-1], *growth.records(made), progress, *_values(growth))
        time.sleep(0.1)
    page.wait_for_selector(f".view[data-loaded='{len(growth.nodes)}']")
    assert page.locator(".line").count() > 10
    assert page.locator(".search-head .chip").text_content() == "running"
    store.commit(SearchProgress("growing", "finished", 9, 8, "", True, "42"))
    page.wait_for_selector(".search-head .chip.good:text-is('solved')")


def _values(growth: Growth) -> list[NodeStatistics]:
    nodes: list[Node] = growth.records()
    return [NodeStatistics("growing", n.path, n.visits, n.value_sum) for n in nodes if n.visits]


@pytest.mark.parametrize(
    "place",
    [
        f"search/{ID}/0.1?tab=step",
        f"search/{ID}/0.1.1?tab=way&draw=lines",
        f"search/{ID}/0.1.1?tab=siblings&draw=lines",
        "problems?text=onerror",
        "solutions?order=worst",
        "pairs?round=2",
        "mistakes?round=2",
        f"models/{IMAGE}",
        "rounds",
        f"{SCRIPT}",
    ],
)
def test_hostile_text_stays_text(visit, place):
    page = visit.open(f"/{RUN}/{place}")
    page.wait_for_timeout(150)
    if place.startswith("search/hostile"):
        assert SCRIPT in page.locator("main").text_content()
    assert page.title() == "rstar view"
    assert page.locator("script").count() == 1
    assert page.locator("main img, main style, main b > b").count() == 0
    assert page.locator(f'a[href^="{LINK[:11]}"]').count() == 0


def test_what_does_not_exist_is_said_in_a_line(visit):
    visit.page.goto(f"{visit.address}#/{RUN}/search/{IMAGE}")
    visit.page.wait_for_selector("#notice:text('there is no such thing')")
    assert visit.page.title() == "rstar view"
    assert any("404" in visit.complaints.pop() for _ in visit.complaints)


def test_of_ten_thousand_nodes_only_what_is_on_screen_is_drawn(visit):
    """How long that takes: `python -m benchmarks.store`."""
    page = visit.open(f"/{RUN}/search/large")
    page.wait_for_selector(".view[data-loaded]")
    assert int(page.locator(".view").get_attribute("data-loaded")) >= 10_000
    page.get_by_label("visited only").uncheck()
    page.get_by_label("unfold all").click()
    canvas = page.locator("canvas.map")
    page.wait_for_selector("canvas.map[data-visible^='10']")
    for key in ["+", "-", "-", "ArrowDown", "ArrowRight"]:
        visit.keys(key)
        page.wait_for_timeout(60)
        assert 0 < int(canvas.get_attribute("data-drawn")) < 1000
    visit.keys("0")
    page.wait_for_selector("canvas.map[data-drawn^='10']")
    visit.keys("m")
    page.wait_for_selector(".line.selected")
    assert page.locator(".line").count() < 60


def test_a_deep_link_opens_node_tab_and_drawing(visit):
    page = visit.open(f"/{RUN}/search/large/0.1.1?tab=way&draw=lines")
    page.wait_for_selector(".detail-body[data-path='0.1.1']")
    assert page.locator(".line.selected").get_attribute("data-path") == "0.1.1"
    assert page.locator(".tabs [aria-selected=true]").text_content() == "Whole way"
    assert page.locator(".detail-body .block").count() == 2


def test_views_and_help_are_a_key_away(visit):
    page = visit.open("")
    for key, title in zip(
        "2345", ["Problems", "Solutions", "Preference pairs", "Models"], strict=True
    ):
        visit.keys(key)
        page.wait_for_selector(f"h1:text-is('{title}')")
    visit.keys("?")
    assert page.locator("dialog.help kbd").count() > 10
    visit.keys("Escape", "d")
    page.wait_for_selector("html[data-theme=dark]")
    page.reload()
    page.wait_for_selector("html[data-theme=dark]")


@pytest.mark.parametrize("place", ["constructor", "search/large/0?tab=__proto__&draw=toString"])
def test_an_odd_address_shows_something_sensible(visit, place):
    page = visit.open(f"/{RUN}/{place}")
    assert page.locator("h1").text_content()
    assert page.locator("#notice").is_hidden()


def test_a_training_is_followed_while_it_goes_on(visit, training):
    def step(number, phase="ppm"):
        line = {"phase": phase, "round": 1, "step": number, "total": 40, "loss": 1 / (number + 1)}
        line["pair_accuracy_train"] = 0.5 + number / 100
        if number % 10 == 0:
            line["pair_accuracy"] = 0.5 + number / 200
        with training.open("a") as file:
            file.write(json.dumps(line) + "\n")

    for number in range(1, 10):
        step(number)
    page = visit.open(f"/{RUN}/models")
    card = page.locator(".training", has_text="PPM of round 1")
    assert "step 9 of 40" in card.locator(".legend").first.text_content()
    assert "learnt from 59.0 %held out 67.0 %" in card.locator(".legend").last.text_content()
    assert card.locator(".chip").text_content() == "training"
    for number in range(10, 41):
        step(number)
    step(1, IMAGE)
    page.wait_for_selector(".training .legend:has-text('step 40 of 40')")
    assert card.locator(".chip").count() == 0
    lines = [line.get_attribute("points").split() for line in card.locator("polyline").all()]
    assert [len(points) for points in lines] == [40, 40, 4]
    assert IMAGE in page.locator(".training").first.text_content()
    assert page.locator("main img").count() == 0


def test_workers_say_why_there_are_none(visit):
    page = visit.open(f"/{RUN}/workers")
    said = page.locator(".empty").text_content()
    assert said.startswith("There are no workers: no run is going on in ")


@PHONE
@pytest.mark.parametrize(
    "place", ["rounds", "problems", "search/r1-000003/0.1", "pairs?round=1", "mistakes?round=1"]
)
def test_nothing_is_wider_than_a_phone(visit, place):
    page = visit.open(f"/{RUN}/{place}")
    page.wait_for_timeout(100)
    metrics = page.context.new_cdp_session(page).send("Page.getLayoutMetrics")
    assert metrics["cssContentSize"]["width"] <= 390
    if place.startswith("search"):
        assert page.locator(".outline").is_visible()
