"""Parts of the page in a real Chromium: tables, the lineage, the first look at a tree, time."""

import sqlite3
import subprocess
import sys
from pathlib import Path

from tests.view.conftest import Visit
from tests.view.generated import RUN

CROSSINGS = """paths => {
  const boxes = [...document.querySelectorAll('.version rect')].map(it => it.getBBox())
  const inside = ({x, y}) => boxes.some(box =>
    x > box.x + 1 && x < box.x + box.width - 1 && y > box.y + 1 && y < box.y + box.height - 1)
  const points = path => Array.from({length: 101}, (_, i) =>
    path.getPointAtLength((path.getTotalLength() * i) / 100))
  return paths.flatMap(points).filter(inside).length
}"""


def test_rows_are_sorted_by_a_heading_and_filtered_by_words(visit):
    page = visit.open(f"/{RUN}/recipe")
    names = page.locator(".recipe-table tbody tr td:first-child")
    page.get_by_role("button", name="Setting").click()
    assert page.locator("th[aria-sort=ascending]").count() == 1
    up = names.all_text_contents()
    page.get_by_role("button", name="Setting").click()
    assert names.all_text_contents() == up[::-1]
    page.get_by_label("filter recipe").fill("setting:ppm. tokens")
    left = names.all_text_contents()
    assert 0 < len(left) < len(up)
    assert all("ppm." in name for name in left)


def test_figures_are_sorted_downwards_first_and_what_is_missing_stands_last(visit):
    page = visit.open(f"/{RUN}/rounds")
    page.get_by_role("button", name="Solved").click()
    card = page.locator(".card", has_text="Rounds")
    assert card.locator("tbody tr").last.text_content().startswith("bootstrap")
    assert card.locator("th[aria-sort=descending]").count() == 1


def test_a_heading_of_problems_sorts_all_pages_and_the_address_keeps_it(visit):
    page = visit.open(f"/{RUN}/problems")
    page.get_by_role("button", name="Nodes").click()
    page.wait_for_url("**order=nodes**direction=down**")
    page.wait_for_selector("th[aria-sort=descending]")
    page.get_by_role("button", name="Nodes").click()
    page.wait_for_url("**direction=up**")
    page.wait_for_selector("th[aria-sort=ascending]")


def test_every_heading_of_a_table_explains_itself(visit):
    for place in ("rounds", "problems", "errors?round=1"):
        page = visit.open(f"/{RUN}/{place}")
        page.wait_for_selector("th button")
        assert all(page.locator("th button").evaluate_all("it => it.map(each => each.title)"))


def test_no_line_of_the_lineage_crosses_a_version(visit):
    page = visit.open(f"/{RUN}/models")
    lines = page.locator(".arrow path:first-child")
    assert lines.count() >= 3
    assert lines.evaluate_all(CROSSINGS) == 0


def test_a_tree_opens_readable_with_its_root_and_its_best_answer_on_screen(visit):
    page = visit.open(f"/{RUN}/search/large")
    page.wait_for_selector("canvas.map[data-look]")
    canvas = page.locator("canvas.map")
    assert float(canvas.get_attribute("data-scale")) >= 0.5
    assert canvas.get_attribute("data-look") == "root and best answer"
    minimap = page.locator("canvas.minimap")
    minimap.click(position={"x": 180, "y": 60})
    page.wait_for_selector(".detail-body[data-path]:not([data-path='0'])")


def test_answers_behind_an_evaluation_are_a_click_away(visit):
    page = visit.open(f"/{RUN}/rounds")
    page.get_by_role("link", name="answers →").first.click()
    page.wait_for_selector("h1:text-is('Answers')")
    assert "pass@1" in page.locator(".title").text_content()


def test_a_part_of_the_time_is_chosen_by_a_drag(visit):
    page = visit.open(f"/{RUN}/time")
    lane = page.locator(".lane-canvas.tall")
    box = lane.bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.25 * box["width"], y)
    assert page.locator(".lane-told").text_content().startswith("searches, ")
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], y, steps=4)
    page.mouse.up()
    page.wait_for_function("location.hash.includes('begin=')")
    visit.keys("0")
    page.wait_for_function("!location.hash.includes('begin=')")


def test_a_folder_of_runs_is_listed_compared_and_entered(browser, store_file, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "rstar.db").write_bytes(_copy(store_file))
    command = [sys.executable, "-m", "rstar_async.cli", "view", str(tmp_path), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline().strip() == f"{tmp_path}: 2 runs"
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        visit = Visit(context.new_page(), process.stdout.readline().strip())
        page = visit.open("")
        page.get_by_label("compare one").check()
        page.get_by_label("compare two").check()
        page.wait_for_selector(".comparison .chart")
        assert page.url.endswith("#one/two")
        page.get_by_role("link", name="two", exact=True).click()
        page.wait_for_selector(f"h1:text-is('{RUN}')")
        page.get_by_role("link", name="runs").click()
        page.wait_for_selector("h1:text-is('Runs')")
        assert visit.complaints == []
        context.close()
        process.terminate()


def _copy(file: Path) -> bytes:
    """The database with what its journal holds."""
    with sqlite3.connect(file) as source:
        return source.serialize()


def test_a_table_that_is_repainted_keeps_its_words_and_the_focus(visit):
    """As workers and runs are, every few seconds."""
    page = visit.open(f"/{RUN}/recipe")
    page.get_by_label("filter recipe").fill("ppm")
    page.evaluate(
        """async () => {
          const {repaint} = await import('/js/dom.js')
          const {table} = await import('/js/table.js')
          const card = document.querySelector('.card')
          const rows = Array.from({length: 9}, (_, i) => ({name: `ppm.${i}`}))
          repaint(card, table('recipe', [{name: 'Setting', value: row => row.name}], rows))
        }"""
    )
    assert page.get_by_label("filter recipe").input_value() == "ppm"
    page.keyboard.type(".3")
    assert page.locator("tbody tr").all_text_contents() == ["ppm.3"]
