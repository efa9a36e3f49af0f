"""The page and the Markdown, made of a small run whose every text is hostile."""

import json
from html.parser import HTMLParser

import msgspec
import pytest

from rstar_async.cli.output import json_text
from rstar_async.reports.gather import (
    coverage_of,
    difficulty_of,
    gather,
    max_rollouts,
    scalings_of,
)
from rstar_async.reports.heldout_samples import heldout_of
from rstar_async.reports.markdown import escaped, markdown_of
from rstar_async.reports.markup import Markup, tag
from rstar_async.reports.page import page_of
from rstar_async.reports.plots import Dot, bar_plot, line_plot
from storage.database import open_database
from storage.queries import ProblemOutcome
from storage.records import (
    Evaluation,
    EvaluationAnswer,
    Expansion,
    ModelVersion,
    Node,
    Pair,
    Problem,
    Round,
    Run,
    Search,
)
from tests.view.hostile import ALL, ENTITY, IMAGE, SCRIPT

NAME = f"trial {IMAGE}"
POLICY = f"policy-r001 {SCRIPT}"
PROCESSES = {"solutions_judged": 8, "solutions_right_process": 6}
LABELS = {"labels_judged": 20, "labels_right": 17, "labels_inverted": 1}
LABELS |= {"labels_both_right": 2, "labels_both_wrong": 0}


def node(path: str, status: str, *, correct: bool | None = None, **facts: object) -> Node:
    depth = path.count(".")
    values = {"visits": 2, "value_sum": 1.0, "prior": 0.5, "exec_status": "ok", **facts}
    kept = {"answer": ALL, "correct": correct}
    return Node("s1", path, depth, depth, ALL, ALL, (), (), status, **kept, **values)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    file = tmp_path_factory.mktemp("report") / "rstar.db"
    settings = {"trajectories": 1, "tokens_per_problem": 9.0, "seconds_per_problem": 1.0}
    evaluation = Evaluation(
        "e1", NAME, 1, f"tree: {SCRIPT}", IMAGE, POLICY, None, 1, 1, 1, 0.5, 0.25, 0.75
    )
    with open_database(str(file)) as database:
        database.commit(
            Run(NAME, {"name": SCRIPT, "database": "postgresql://me:secret@db/x"}, 1, "0.1"),
            Problem("p1", NAME, ALL, ENTITY, IMAGE, SCRIPT, IMAGE),
            Round(NAME, 0, "closed", POLICY, started_at=10.0, closed_at=20.0, seconds=10.0),
            Round(NAME, 1, "closed", POLICY, IMAGE, started_at=20.0, closed_at=10.0, seconds=30.0),
            Search(
                "s1",
                NAME,
                1,
                "p1",
                "train",
                1,
                POLICY,
                None,
                "finished",
                3,
                solved=True,
                ended=IMAGE,
            ),
            node("0", "root"),
            node("0.1", "live"),
            node("0.2", "code_error", exec_status="exception", exec_error=f"{SCRIPT}: {IMAGE}"),
            node("0.1.1", "answer", correct=True),
            node("0.1.2", "answer", correct=False, value_sum=-2.0),
            Expansion("s1", 1, "0", 1, 2, 2, new_tokens=40),
            Pair(NAME, 1, "s1", "0.1.1", "0.1.2", "step", 1.0, "heldout"),
            ModelVersion(
                POLICY,
                NAME,
                "policy",
                1,
                None,
                IMAGE,
                "published",
                metrics={"trajectories": 2, **PROCESSES},
            ),
            ModelVersion("ppm", NAME, "ppm", 1, POLICY, "", "refused", metrics=LABELS),
            evaluation,
            msgspec.structs.replace(evaluation, id="e2", settings=settings),
        )
        yield gather(database, NAME, IMAGE, 3.0)


class Reader(HTMLParser):
    """Every element and attribute of a page, as a browser would see them."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes.extend(attrs)


def test_hostile_text_makes_no_element_and_no_attribute(report):
    reader = Reader()
    reader.feed(page_of(report))
    own = {"html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "p", "section"}
    own |= {"div", "table", "thead", "tbody", "tr", "th", "td", "pre", "article", "details"}
    own |= {"summary", "figure", "figcaption", "svg", "g", "line", "text", "rect", "circle"}
    own |= {"polyline", "span", "i"}
    assert set(reader.elements) <= own
    assert reader.elements.count("style") == 1
    names = {name for name, _ in reader.attributes}
    assert not [name for name in names if name.startswith("on")]
    assert not names & {"src", "href", "style", "srcdoc", "action", "formaction"}


def test_labels_are_compared_with_the_truth(report):
    for document in (page_of(report), markdown_of(report)):
        assert "Labels against the truth" in document
    assert "17 (85.0 %)" in page_of(report)
    assert json.loads(json_text(report))["rounds"][1]["row"]["labels"]["right_processes"] == 6


def test_the_page_loads_nothing_and_shows_what_was_written(report):
    page = page_of(report)
    assert "default-src &#x27;none&#x27;" in page
    assert "http://" not in page
    assert "https://" not in page
    assert "url(" not in page
    assert "&lt;script&gt;document.title" in page
    assert "\u202e" not in page
    assert "\x00" not in page


def test_a_password_in_the_database_url_is_not_published(report):
    assert "secret" not in page_of(report)
    assert "secret" not in json_text(report)
    assert json.loads(json_text(report))["rounds"][1]["coverage"] == [
        {"level": SCRIPT, "problems": 1, "solved": 1}
    ]


def test_the_figures_are_those_of_the_store(report):
    facts = report.rounds[1]
    assert (facts.coverage[0].problems, facts.coverage[0].solved) == (1, 1)
    assert (facts.difficulty.easy, facts.difficulty.medium, facts.difficulty.hard) == (0, 1, 0)
    assert sum(facts.q["right"]) == sum(facts.q["wrong"]) == sum(facts.q["steps"]) == 1
    assert facts.q["right"][15] == 1  # Q = +0.5, in [0.5, 0.6)
    assert facts.q["wrong"][0] == 1  # Q = -1
    assert facts.pairs == {"step heldout": 1}
    assert list(facts.errors.values()) == [1]
    assert facts.endings == {"answer": 2, "code_error": 1, "live": 1}
    assert (facts.cost.kept, facts.cost.tokens, facts.cost.wall_seconds) == (2, 20.0, 15.0)
    assert facts.cost.price == pytest.approx(30 / 3600 * 3.0 / 2)
    assert [len(found.curves) for found in report.test_time] == [1]


def test_markdown_keeps_one_row_a_line_and_nothing_active(report):
    document = markdown_of(report)
    assert "<script" not in document
    assert "<img" not in document
    tables = [line for line in document.splitlines() if line.startswith("|")]
    assert all(line.endswith("|") for line in tables)
    widths = {}
    for line in tables:
        cells = line.replace("\\|", "").count("|")
        widths.setdefault(cells, []).append(line)
    assert escaped("a|b [x](javascript:y) `c`") == "a\\|b \\[x\\]\\(javascript:y\\) \\`c\\`"


def test_difficulty_and_coverage_of_outcomes():
    outcomes = [
        ProblemOutcome("10", "", True, 2, 0),
        ProblemOutcome("2", "", True, 1, 1),
        ProblemOutcome("2", "", False, 0, 3),
        ProblemOutcome("2", "", False, 0, 0),
    ]
    assert [(c.level, c.problems, c.solved) for c in coverage_of(outcomes)] == [
        ("2", 3, 1),
        ("10", 1, 1),
    ]
    found = difficulty_of(outcomes)
    assert (found.easy, found.medium, found.hard) == (1, 1, 2)


def sampled(evaluation: str, *answers: str) -> list[EvaluationAnswer]:
    """Two samples a problem; 7 is right."""
    return [
        EvaluationAnswer(evaluation, f"p{number // 2}", number % 2, answer, answer == "7")
        for number, answer in enumerate(answers)
    ]


def test_heldout_samples_tell_what_they_came_to_and_what_was_gained():
    first = sampled("e0", "7", "", "8", "8", "", "")
    found = heldout_of(sampled("e1", "7", "7", "7", "8", "8", ""), first)
    assert (found.right, found.wrong, found.unanswered) == (3, 2, 1)
    assert found.gain[0] == pytest.approx((0.5 + 0.5 + 0) / 3)
    assert found.gain[1] < found.gain[0] < found.gain[2]
    assert heldout_of(first, first).gain is None


def test_the_gain_is_over_the_bootstrap(tmp_path):
    with open_database(str(tmp_path / "rstar.db")) as database:
        problems = [Problem(f"p{number}", "r", "?", "7") for number in range(2)]
        database.commit(Run("r", {}, 1, "0.1"), *problems)
        for number, answers in enumerate([("8", "8", "7", "7"), ("7", "7", "7", "")]):
            database.commit(
                Round("r", number, "closed", "p"),
                Evaluation(
                    f"e{number}", "r", number, "policy", "heldout", "p", None, 2, 2, 1, 0.5, 0, 1
                ),
                *sampled(f"e{number}", *answers),
            )
        report = gather(database, "r", "here", None)
    assert [facts.heldout.gain and facts.heldout.gain[0] for facts in report.rounds] == [None, 0.25]
    assert "| round 1 | 3 | 0 | 1 | +25.0 " in markdown_of(report)


def test_evaluations_of_rounds_are_no_test_time_curves():
    plain = Evaluation("e", "r", 1, "policy", "heldout", "p", None, 1, 1, 1, 0.5, 0.25, 0.75)
    assert scalings_of([plain]) == []


def test_only_markup_is_put_in_as_it_is():
    assert tag("b", "<i>", Markup("<br/>"), 3, None) == "<b>&lt;i&gt;<br/>3</b>"
    assert (
        tag("rect", x='1" onload="x', class_="c") == '<rect x="1&quot; onload=&quot;x" class="c"/>'
    )


def test_plots_put_marks_where_the_values_are():
    plot = line_plot("t", {"a": [Dot(0, 0.0), Dot(1, 1.0, 0.5, 1.0)]}, ["x", "y"], "n")
    assert plot.count("<circle") == 2
    assert 'cy="220.0"' in plot  # 0 % at the foot
    assert 'cy="14.0"' in plot  # 100 % at the top
    bars = bar_plot("t", {"a": [1, 0], "b": [3, 0]}, ["x", "y"], "n")
    assert bars.count("<rect") == 2
    assert "x: 3 b" in bars


def test_the_most_rollouts_are_those_of_the_last_stage_or_of_the_search():
    recipe = {
        "search": {"rollouts": 8},
        "rounds": [{"rollouts": None}, {"rollouts": 16, "unsolved_rollouts": [32, 64]}, {}],
    }
    assert [max_rollouts(recipe, number) for number in (1, 2, 3, 9)] == [8, 64, 8, 8]
    assert max_rollouts({}, 1) == 0


def test_rollouts_are_held_against_the_same_for_every_problem(tmp_path):
    recipe = {"search": {"rollouts": 4}, "rounds": [{"rollouts": 4, "unsolved_rollouts": [16]}]}
    ends = [("rollouts", 4), ("rollouts", 16), ("converged", 2)]
    with open_database(str(tmp_path / "rstar.db")) as database:
        database.commit(
            Run("r", recipe, 1, "0.1"),
            Problem("p", "r", "?", "7"),
            Round("r", 1, "searched", "policy"),
            *(
                Search(
                    f"s{n}", "r", 1, "p", "train", n, "policy", None, "finished", made, ended=end
                )
                for n, (end, made) in enumerate(ends)
            ),
            Search("failed", "r", 1, "p", "train", 9, "policy", None, "failed", 5),
        )
        (facts,) = gather(database, "r", "here", None).rounds
    assert (facts.rollouts.searches, facts.rollouts.spent, facts.rollouts.fixed) == (3, 22, 48)
    assert facts.rollouts.ended == {"rollouts": 2, "converged": 1}
